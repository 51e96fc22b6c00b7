"""Any message becomes what LINE takes: a text or a bubble, whole where it matters, of whatever was
typed."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.line import flex
from bot.line.press_ids import press_id, presses_of
from bot.line.render import Look, carousel, render
from core.messages import (
    Attachment,
    Button,
    Dates,
    Field,
    Line,
    Message,
    Option,
    Picture,
    Progress,
    Select,
)
from tests.fakes.line.description import description
from tests.fakes.line.messages_check import check_messages
from tests.fakes.line.readable import check_readable

ORGANISATION = UUID(int=7)
PDF = Attachment("b" * 64, "Q-2026-0001_見積書.pdf", "application/pdf")
PICTURE = "https://miyabi.example/d/picture.png"


def press(action: str, value: str) -> str:
    return press_id(ORGANISATION, action, value)


LOOK = Look(press, lambda file: f"https://miyabi.example/d/{file.sha256[:8]}")

TEXT = st.text(max_size=60) | st.sampled_from(
    [
        "", " ", "\x00\x1b[2J", "\u202e円000,1\u202c", "\ud83d", "👨‍👩‍👧‍👦" * 90, "あ" * 5_000,
        '"}],"type":"text', "{user}", "e" + "\u0301" * 3_000, "a\r\nb\u2028c", "\u200b",
        "🇯🇵" * 4_000,
    ]
)  # fmt: skip
ID = st.text("0123456789abcdef-.", min_size=1, max_size=40)
STATES = st.sampled_from(["done", "running", "waiting", "todo", "failed", "stopped"])


def _many(kind: st.SearchStrategy[Any], most: int = 300) -> st.SearchStrategy[tuple[Any, ...]]:
    """None, few, or very many of a kind."""
    few = st.lists(kind, max_size=3).map(tuple)
    return few | st.tuples(kind, st.integers(0, most)).map(lambda pair: (pair[0],) * pair[1])


MESSAGES = st.builds(
    Message,
    text=TEXT,
    title=TEXT,
    body=TEXT,
    fields=_many(st.builds(Field, TEXT, TEXT), 40),
    lines=_many(st.builds(Line, TEXT, TEXT, TEXT)),
    totals=_many(st.builds(Field, TEXT, TEXT), 20),
    sections=_many(st.builds(Field, TEXT, TEXT), 20),
    progress=_many(st.builds(Progress, TEXT, STATES, TEXT), 60),
    picture=st.none() | st.builds(Picture, ID, TEXT),
    buttons=_many(
        st.builds(
            Button,
            st.sampled_from(["approve", "answer", "edit"]),
            TEXT,
            ID,
            st.sampled_from(["default", "primary", "danger", "quiet"]),
        ),
        40,
    ),
    select=st.none()
    | st.builds(Select, st.just("answer"), TEXT, ID, _many(st.builds(Option, ID, TEXT), 150)),
    dates=st.none() | st.builds(Dates, st.just("answer"), TEXT, ID),
    files=_many(st.builds(Attachment, ID, TEXT, st.just("application/pdf")), 8),
    note=TEXT,
    language=st.sampled_from(["ja", "en", "zh"]),
)


def _problems(messages: list[dict[str, Any]]) -> list[str]:
    described = description("messaging-api")
    assert described is not None
    body = {"replyToken": "t", "messages": messages}
    return [*described.request("replyMessage", body), *check_messages(messages)]


needs_description = pytest.mark.skipif(
    description("messaging-api") is None, reason="LINE's description is not beside this folder"
)


@needs_description
@settings(max_examples=60, deadline=None)
@given(MESSAGES, st.integers(0, 150), st.booleans(), st.sampled_from(["", "4821"]))
def test_line_takes_any_message(message: Message, first: int, linked: bool, code: str) -> None:
    look = replace(LOOK, quick=first, picture=PICTURE if linked else None)
    if not linked:
        look = replace(look, link=lambda file: None)
    shown = render(message, look, code=code)

    assert _problems(shown) == []
    json.dumps(shown).encode("ascii")  # no half of a pair in it
    for text in _texts(shown):
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    known = {press(*each) for each in presses_of(message)}
    assert {action["data"] for action in _actions(shown) if "data" in action} <= known


@needs_description
@settings(max_examples=15, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=3), st.sampled_from([1, 6]))
def test_line_takes_any_carousel(messages: list[Message], times: int) -> None:
    assert _problems([carousel(messages * times, LOOK)]) == []


def _walk(part: object) -> Iterator[dict[str, Any]]:
    if isinstance(part, list):
        for each in part:
            yield from _walk(each)
    elif isinstance(part, dict):
        yield part
        for each in part.values():
            yield from _walk(each)


def _texts(part: object) -> list[str]:
    found = []
    for each in _walk(part):
        found += [
            each[name] for name in ("text", "altText", "displayText", "label") if name in each
        ]
    return [each for each in found if isinstance(each, str)]


def _actions(part: object) -> list[dict[str, Any]]:
    return [each["action"] for each in _walk(part) if "action" in each]


CARD = Message(
    text="承認のお願い: #1042 見積書\n合計（税込） 180,400円",
    title="承認のお願い: #1042 見積書",
    fields=(Field("お客様", "株式会社ABC商事"), Field("納期", "2026-12-25")),
    lines=(Line("モニター 27型", "5台 × 32,800円", "164,000円"),),
    totals=(Field("小計", "164,000円"), Field("合計（税込）", "180,400円")),
    sections=(Field("コメントと質問", "鈴木: 急ぎです"),),
    picture=Picture("a" * 64, "見積書の1ページ目"),
    buttons=(
        Button("approve", "承認", "1", "primary"),
        Button("reject", "却下", "1", "danger"),
        Button("return", "差し戻し", "1"),
        Button("comment", "コメント", "1", "quiet"),
        Button("question", "依頼者に質問", "1", "quiet"),
    ),
    note="※は軽減税率",
)


def _bubble(message: Message, look: Look = LOOK, code: str = "") -> dict[str, Any]:
    [shown] = render(message, look, code=code)
    bubble: dict[str, Any] = shown["contents"]
    return bubble


def test_a_card_is_one_bubble_from_title_to_buttons() -> None:
    bubble = _bubble(CARD, replace(LOOK, picture=PICTURE), "4821")

    assert [name for name in bubble if name in {"header", "hero", "body", "footer"}] == [
        "header", "hero", "body", "footer",
    ]  # fmt: skip
    assert bubble["hero"]["url"] == PICTURE
    assert _texts(bubble["header"]) == ["承認のお願い: #1042 見積書"]
    said = [text for text in _texts(bubble["body"]) if isinstance(text, str)]
    assert said == [
        "お客様", "株式会社ABC商事", "納期", "2026-12-25",
        "モニター 27型", "5台 × 32,800円", "164,000円",
        "小計", "164,000円", "合計（税込）", "180,400円",
        "コメントと質問", "鈴木: 急ぎです", "※は軽減税率",
        "文字でも決定できます:「承認 4821」「却下 4821 理由」",
    ]  # fmt: skip
    labels = [action["label"] for action in _actions(bubble["footer"])]
    assert labels == ["承認", "却下", "差し戻し", "コメント", "依頼者に質問"]


def test_a_press_carries_nothing_but_an_opaque_id_and_is_said_in_the_chat() -> None:
    approve = _actions(_bubble(CARD)["footer"])[0]

    assert approve["data"] == press("approve", "1")
    assert re.fullmatch("[0-9a-f]{32}", approve["data"])
    assert approve["displayText"] == "承認 #1042"
    assert press("approve", "1") != press("reject", "1")
    assert press("approve", "1") != press_id(UUID(int=8), "approve", "1")


def test_the_last_total_stands_out_and_amounts_are_at_the_right() -> None:
    texts = {each["text"]: each for each in _walk(_bubble(CARD)) if each.get("type") == "text"}

    assert texts["180,400円"]["weight"] == "bold"
    assert "weight" not in texts["小計"]
    for text in texts.values():
        assert text.get("wrap") or text.get("adjustMode") == "shrink-to-fit"
        assert not text.get("align") or text["align"] == "end"
    assert not [each for each in _walk(_bubble(CARD)) if "width" in each]


def test_the_text_of_a_notification_says_what_the_bubble_shows() -> None:
    [shown] = render(CARD, LOOK, code="4821")

    for text in _texts(shown["contents"]["body"]):
        assert text in shown["altText"]
    assert shown["altText"].count("180,400円") == 1


def test_a_notification_tells_every_step() -> None:
    steps = (Progress("読み取り", "done", "10:24"), Progress("承認", "waiting"))
    [shown] = render(Message("#1 承認待ち", title="#1 承認待ち", progress=steps), LOOK)

    assert shown["altText"] == "#1 承認待ち\n● 読み取り 10:24\n◐ 承認"


def test_what_became_of_a_card_stands_above_what_it_is_about() -> None:
    closed = replace(CARD, buttons=(), note="却下: 鈴木（10:24） 理由: 高い")

    bubble = _bubble(closed)
    assert _texts(bubble["body"])[0] == "却下: 鈴木（10:24） 理由: 高い"
    assert "footer" not in bubble


def test_of_very_many_lines_the_rest_is_counted_and_totals_and_buttons_stay() -> None:
    bubble = _bubble(replace(CARD, lines=CARD.lines * 100))

    said = _texts(bubble)
    shown = said.count("モニター 27型")
    assert 10 < shown < 100
    assert f"… ほか {100 - shown} 行（PDFを参照）" in said
    assert "合計（税込）" in said
    assert "承認" in said


def test_a_card_too_big_for_line_keeps_its_buttons() -> None:
    long = "家族" * 5_000
    fields, steps = (Field(long, long),) * 20, (Progress(long, "done", long),) * 30
    sections = (Field(long, long),) * 5
    bubble = _bubble(replace(CARD, fields=fields, progress=steps, sections=sections))

    assert len(json.dumps(bubble)) < 30_000
    assert [action["label"] for action in _actions(bubble["footer"])][:2] == ["承認", "却下"]


def test_a_document_is_a_link_or_a_word_why_there_is_none() -> None:
    issued = Message("#1042 Q-2026-0001 を発行しました。", body="発行しました。", files=(PDF,))

    [action] = _actions(_bubble(issued)["footer"])
    assert action["uri"] == "https://miyabi.example/d/bbbbbbbb"
    without = _bubble(issued, replace(LOOK, link=lambda file: None))
    assert "footer" not in without
    assert any("リンクをここでは作れません" in text for text in _texts(without))


def test_a_value_that_is_an_address_opens_it() -> None:
    fields = (Field("リンク", "https://alerts.example.co.jp/1"), Field("備考", "javascript:x"))
    [action] = _actions(_bubble(Message("", "警報", fields=fields))["body"])
    assert action == {"type": "uri", "uri": "https://alerts.example.co.jp/1"}


def test_a_short_answer_is_a_text() -> None:
    assert render(Message("#1042 を受け付けました。"), LOOK) == [
        {"type": "text", "text": "#1042 を受け付けました。"}
    ]


def test_a_text_over_5000_units_goes_on_in_the_next_message() -> None:
    lines = [f"{n} 👩‍💻{'あ' * 90}" for n in range(100)]
    shown = render(Message("\n".join(lines)), LOOK)

    assert "\n".join(each["text"] for each in shown) == "\n".join(lines)
    assert len(shown) == 2
    long = render(Message("\n".join(lines * 10)), LOOK)
    assert len(long) == 5
    assert "続きは…" in long[-1]["text"]


QUESTION = Message("どの品目ですか？", body="どの品目ですか？", buttons=())


def _question(number: int, label: str = "品目{n}") -> Message:
    options = tuple(Option(f"q.{n}", label.format(n=n)) for n in range(number))
    return replace(QUESTION, select=Select("answer", "選択", "q", options))


def _quick(message: Message, first: int = 0) -> list[dict[str, Any]]:
    [shown] = render(message, replace(LOOK, quick=first))
    assert shown["type"] == "text"
    return [item["action"] for item in shown["quickReply"]["items"]]


def test_choices_are_quick_replies_and_stand_in_the_text_as_well() -> None:
    question = replace(
        QUESTION, buttons=(Button("answer", "はい", "q.0"), Button("edit", "表", "t"))
    )

    assert [action["label"] for action in _quick(question)] == ["はい"]
    assert render(question, LOOK)[0]["text"] == "どの品目ですか？\n・はい"


@pytest.mark.parametrize("number", [12, 13, 23, 24, 60])
def test_every_choice_is_on_one_of_the_pages(number: int) -> None:
    question = _question(number)
    turns = {press(a, v): v for a, v in presses_of(question) if a == "page"}
    first, seen = 0, []
    while True:
        actions = _quick(question, first)
        assert len(actions) <= 13
        seen += [action["label"] for action in actions if action["data"] not in turns]
        if not actions[-1]["label"].startswith("次へ"):
            break
        first = int(turns[actions[-1]["data"]].rpartition(".")[2])
    assert seen == [f"品目{n}" for n in range(number)]
    while first:
        first = int(turns[_quick(question, first)[0]["data"]].rpartition(".")[2])


def test_choices_too_long_for_their_button_are_known_by_their_number() -> None:
    labels = [a["label"] for a in _quick(_question(3, "モニター 27型 4K 高さ調整 ブラック {n}"))]

    assert labels[1].startswith("2. モニター")
    assert all(len(label) <= 20 for label in labels)


def test_a_day_is_picked_from_a_calendar() -> None:
    question = replace(QUESTION, dates=Dates("answer", "日付を選ぶ", "q"))

    [action] = _quick(question)
    assert (action["type"], action["mode"]) == ("datetimepicker", "date")
    assert action["data"] == press("answer", "q")


def test_what_is_offered_beside_a_text_is_a_quick_reply() -> None:
    reasons = tuple(Button("reason", f"理由{n}", f"reject.s.{n}", "quiet") for n in range(20))
    message = Message("理由を選んでください。", buttons=reasons)

    assert len(_quick(message)) == 12  # eleven, and one that leads on
    assert render(message, LOOK)[0]["text"] == "理由を選んでください。"


def test_all_of_a_card_is_readable_on_the_background_it_says() -> None:
    states = ("done", "running", "waiting", "todo", "failed", "stopped")
    steps = tuple(Progress(state, state, "10:24") for state in states)  # type: ignore[arg-type]
    bubble = _bubble(
        replace(CARD, progress=steps, files=(PDF,)), replace(LOOK, picture=PICTURE), "4821"
    )

    assert check_readable(bubble) == []


def test_what_waits_is_a_carousel_with_a_bubble_each() -> None:
    lines = tuple(Line(f"#{n} 見積書  花子", "期限 11/30", f"{n},000円") for n in range(3))
    shows = tuple(Button("show", f"#{n} を見る", f"s{n}") for n in range(3))
    small = Button("approve_small", "少額をまとめて承認", "s0,s1")
    waiting = Message("あなたの承認待ち: 3 件", title="あなたの承認待ち: 3 件", lines=lines)

    [shown] = render(replace(waiting, buttons=(*shows, small)), LOOK)
    head, *bubbles = shown["contents"]["contents"]
    assert [action["label"] for action in _actions(head)] == ["少額をまとめて承認"]
    assert [_texts(bubble["header"]) for bubble in bubbles] == [[line.name] for line in lines]
    assert [a["data"] for b in bubbles for a in _actions(b)] == [
        press("show", b.value) for b in shows
    ]
    assert all(line.amount in shown["altText"] for line in lines)
    assert check_readable(shown["contents"]) == []


def test_a_card_has_a_bar_that_names_only_the_step_it_stands_at() -> None:
    steps = (Progress("", "done"), Progress("承認 1/2", "waiting"), Progress("", "todo"))
    [shown] = render(replace(CARD, progress=steps), LOOK)
    bar, row = shown["contents"]["body"]["contents"][:2]

    assert [stripe["backgroundColor"] for stripe in bar["contents"]] == [
        flex.GOOD,
        flex.BUSY,
        flex.RULE,
    ]
    assert [part["text"] for part in row["contents"] if part["type"] == "text"] == ["◐", "承認 1/2"]
    assert shown["altText"].count("◐") == 1
    assert "○" not in shown["altText"]
