"""What somebody said in LINE: mentions are cut out by UTF-16 units, odd events break nothing."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.line.said import said_in, words
from core.arrivals import Arrival

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def arrival(body: dict[str, Any], kind: str = "message") -> Arrival:
    return Arrival(uuid4(), uuid4(), "line", "U0", "key", "U1", "U1", kind, body, datetime.now(UTC))


@settings(max_examples=60)
@given(before=TEXT, name=TEXT, after=TEXT)
def test_our_mention_is_cut_out_wherever_it_stands(before: str, name: str, after: str) -> None:
    mention = {"index": units(before), "length": units(name) + 1, "isSelf": True, "type": "user"}
    message = {"text": f"{before}@{name}{after}", "mention": {"mentionees": [mention]}}
    assert words(message) == (f"{before} {after}".strip(), True)


def test_emoji_before_a_mention_count_twice_and_others_are_named_by_their_account() -> None:
    message = {
        "text": "👨‍👩‍👧😀@みやび 回付 #1042 @田中さん お願いします",
        "mention": {
            "mentionees": [
                {"index": 10, "length": 4, "isSelf": True},
                {"index": 24, "length": 5, "userId": "U2", "isSelf": False},
            ]
        },
    }
    assert words(message) == ("👨‍👩‍👧😀  回付 #1042 @U2  お願いします", True)


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(["index", "length", "isSelf", "userId", "type"]),
        st.none() | st.integers(-9, 99) | st.booleans() | TEXT,
    )
)
def test_mentions_that_can_not_be_are_left_alone(mention: dict[str, Any]) -> None:
    said, _ = words({"text": "見積 ABC😀", "mention": {"mentionees": [mention]}})
    assert isinstance(said.encode(), bytes)


def test_files_are_known_by_their_messages_ids() -> None:
    image = said_in(
        arrival(
            {
                "message": {
                    "type": "image",
                    "id": "77",
                    "contentProvider": {"type": "line"},
                    "imageSet": {"id": "S", "index": 2, "total": 3},
                }
            }
        )
    )
    assert image is not None
    [file] = image.files
    assert (file.reference, file.media_type, image.album) == ("77", "image/jpeg", ("S", 3))
    pdf = said_in(
        arrival({"message": {"type": "file", "id": "78", "fileName": "領収書.pdf", "fileSize": 9}})
    )
    assert pdf is not None
    [file] = pdf.files
    assert (file.name, file.size) == ("領収書.pdf", 9)


def test_what_is_no_message_is_none() -> None:
    assert said_in(arrival({}, "follow")) is None
    assert said_in(arrival({"message": None})) is None
    lonely = said_in(
        arrival({"message": {"type": "image", "contentProvider": {"type": "external"}}})
    )
    assert lonely is not None
    assert lonely.away
