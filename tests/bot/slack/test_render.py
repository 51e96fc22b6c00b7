"""Any message becomes blocks that Slack takes, whole where it matters and escaped everywhere."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.render import blocks, cut, fallback
from core.messages import (
    Button,
    Field,
    Line,
    Message,
    Option,
    Picture,
    Progress,
    Select,
)
from tests.fakes.slack.blocks_check import check_blocks, elements, too_long
from tests.fakes.slack.reading import buttons, labels, text_of

TEXT = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    ["", " ", "<!channel>", "&" * 60, "あ" * 5_000, "<@U1>" * 900, "*_~`>"]
)
ID = st.text("0123456789abcdef-.", min_size=1, max_size=40)
STATES = st.sampled_from(["done", "running", "waiting", "todo", "failed", "stopped"])


def _many(kind: st.SearchStrategy[Any], most: int = 300) -> st.SearchStrategy[tuple[Any, ...]]:
    """Few or very many of a kind."""
    few = st.lists(kind, max_size=4).map(tuple)
    return few | st.tuples(kind, st.integers(0, most)).map(lambda pair: (pair[0],) * pair[1])


MESSAGES = st.builds(
    Message,
    text=TEXT,
    title=TEXT,
    body=TEXT,
    fields=_many(st.builds(Field, TEXT, TEXT), 40),
    lines=_many(st.builds(Line, TEXT, TEXT, TEXT)),
    totals=_many(st.builds(Field, TEXT, TEXT), 20),
    sections=_many(st.builds(Field, TEXT, TEXT | TEXT.map(lambda line: f"{line}\n" * 40)), 20),
    progress=_many(st.builds(Progress, TEXT, STATES, TEXT), 60),
    picture=st.none() | st.builds(Picture, ID, TEXT),
    buttons=_many(
        st.builds(
            Button,
            st.sampled_from(["approve", "answer"]),
            TEXT,
            ID,
            st.sampled_from(["default", "primary", "danger", "quiet"]),
        ),
        40,
    ),
    select=st.none()
    | st.builds(
        Select,
        st.sampled_from(["answer", "pick"]),
        TEXT,
        ID,
        _many(st.builds(Option, ID, TEXT), 150),
    ),
    note=TEXT,
    language=st.sampled_from(["ja", "en", "zh"]),
)


@settings(max_examples=100)
@given(MESSAGES)
def test_slack_takes_any_message(message: Message) -> None:
    shown = blocks(message, "F1")

    assert check_blocks(shown, "message") == []
    assert not too_long(shown)
    assert shown
    assert 1 <= len(fallback(message)) <= 3_000


@settings(max_examples=100)
@given(MESSAGES)
def test_nothing_that_was_typed_is_read_as_a_mark(message: Message) -> None:
    for text in (*_texts(blocks(message, "F1")), fallback(message)):
        bare = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
        assert "<" not in bare
        assert ">" not in bare
        assert "&" not in bare, "an escape was cut in two"


def _texts(part: Any) -> list[str]:
    if isinstance(part, list):
        return [text for each in part for text in _texts(each)]
    if not isinstance(part, dict):
        return []
    own = [part["text"]] if isinstance(part.get("text"), str) else []
    return own + [text for each in part.values() for text in _texts(each)]


def test_each_text_tells_slack_to_leave_it_as_it_is() -> None:
    def check(part: Any) -> None:
        if isinstance(part, list):
            for each in part:
                check(each)
        elif isinstance(part, dict):
            if part.get("type") == "mrkdwn":
                assert part["verbatim"] is True
            for each in part.values():
                check(each)

    check(blocks(CARD, "F1"))


CARD = Message(
    text="承認のお願い",
    title="承認のお願い: #1042 見積書",
    fields=(Field("お客様", "株式会社ABC商事"), Field("納期", "2026-12-25")),
    lines=(Line("モニター 27型", "5台 × 32,800円", "164,000円"),),
    totals=(Field("小計", "164,000円"), Field("合計（税込）", "180,400円")),
    picture=Picture("a" * 64, "見積書の1ページ目"),
    buttons=(
        Button("approve", "承認", "1", "primary"),
        Button("reject", "却下", "1", "danger"),
    ),
    note="※は軽減税率",
)


def test_a_card_reads_from_top_to_bottom() -> None:
    kinds = [block["type"] for block in blocks(CARD, "F1")]

    assert kinds == [
        "header", "section", "divider", "section", "divider", "section", "image", "context",
        "actions",
    ]  # fmt: skip


def test_what_became_of_a_card_stands_below_its_title() -> None:
    closed = replace(CARD, buttons=(), note="却下: 鈴木（10:24） 理由: 高い")
    shown = blocks(closed, "F1")

    assert shown[1]["text"]["text"] == "却下: 鈴木（10:24） 理由: 高い"
    assert [block["type"] for block in shown][-1] == "image"


def test_the_last_total_stands_out() -> None:
    assert "小計\u2003164,000円\n*合計（税込）\u2003180,400円*" in text_of(blocks(CARD))


def test_a_picture_that_is_not_there_leaves_no_hole() -> None:
    assert "image" not in [block["type"] for block in blocks(CARD)]


def test_of_very_many_lines_the_rest_is_counted_and_totals_and_buttons_stay() -> None:
    line = Line("モニター 27型 ブラック 高さ調整", "5台 × 32,800円", "164,000円")
    card = replace(CARD, lines=(line,) * 600)

    shown = blocks(card, "F1")
    words = text_of(shown)
    listed = words.count("• モニター")
    assert 200 < listed < 600
    assert f"… ほか {600 - listed} 行（PDFを参照）" in words
    assert "*合計（税込）" in words
    assert labels(shown) == ["承認", "却下"]


def test_a_hundred_lines_are_shown_to_the_last() -> None:
    card = replace(CARD, lines=tuple(Line(f"品目{n}", "1個", "1円") for n in range(100)))

    assert "品目99" in text_of(blocks(card, "F1"))


def test_progress_has_its_marks_and_times() -> None:
    steps = (
        Progress("読み取り", "done", "10:24:01"),
        Progress("価格計算", "running"),
        Progress("承認", "todo"),
        Progress("発行", "failed"),
        Progress("お届け", "stopped"),
    )
    words = text_of(blocks(Message("x", title="#1 処理中", progress=steps)))

    assert words == (
        "*#1 処理中*\n●\u2003読み取り\u200310:24:01\n◐\u2003*価格計算*\n○\u2003承認\n"
        "✕\u2003*発行*\n■\u2003お届け"
    )


def test_elements_of_one_action_have_ids_of_their_own() -> None:
    choices = tuple(Button("answer", f"{n}", f"q.{n}") for n in range(3))
    select = Select("answer", "選択", "q", (Option("q.7", "七"),))
    shown = blocks(Message("?", buttons=choices, select=select))

    ids = [element["action_id"] for element in elements(shown)]
    assert ids == ["answer:0", "answer:1", "answer:2", "answer:select"]


def test_a_button_alone_keeps_its_plain_name() -> None:
    assert [b["action_id"] for b in buttons(blocks(CARD))] == ["approve", "reject"]


def test_choices_beyond_what_a_menu_holds_can_be_written() -> None:
    many = tuple(Option(f"q.{n}", f"品目{n}") for n in range(130))
    words = text_of(blocks(Message("?", select=Select("answer", "選択", "q", many))))

    assert "ほか 30 件はスレッドに文字で返信してください。" in words


def test_a_text_is_cut_between_characters() -> None:
    assert cut("a&b", 7) == "a&amp;b"
    assert cut("a&b", 6) == "a…"
    assert cut("&&&", 11) == "&amp;&amp;…"
    assert cut("𠮷野家", 2) == "𠮷…"
    assert cut("", 5) == ""
