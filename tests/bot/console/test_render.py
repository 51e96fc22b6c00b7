"""What the terminal shows of a message: everything that matters, and nothing that steers it."""

import io

from rich.cells import cell_len
from rich.console import Console

from bot.console.render import choices, clean, render
from core.messages import (
    Attachment,
    Button,
    Field,
    Line,
    Message,
    Option,
    Picture,
    Progress,
    Select,
)


def _shown(message: Message, *, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
    console.print(render(message))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_part_of_a_card_is_shown() -> None:
    card = Message(
        text="not shown where there are parts",
        title="承認のお願い: #1042 見積書",
        fields=(Field("お客様", "株式会社ABC商事"),),
        lines=(Line("モニター 27型", "5台 × 32,800円", "164,000円"),),
        totals=(Field("合計（税込）", "180,400円"),),
        picture=Picture("0" * 64, "見積書の1ページ目"),
        buttons=(Button("approve", "承認", "1", "primary"), Button("reject", "却下", "1")),
        note="※は軽減税率",
    )

    shown = _shown(card)

    for part in ("#1042", "ABC商事", "5台 × 32,800円", "164,000円", "180,400円", "1ページ目"):
        assert part in shown
    assert "[承認]" in shown
    assert "※は軽減税率" in shown
    assert "not shown" not in shown


def test_a_plain_message_is_its_text() -> None:
    assert _shown(Message("承知しました。")) == "承知しました。\n"


def test_progress_stands_in_one_line_with_its_marks() -> None:
    steps = (Progress("読み取り", "done", "10:32:05"), Progress("価格計算", "running"))

    assert _shown(Message("", progress=steps)) == "● 読み取り 10:32:05  ◐ 価格計算\n"


def test_choices_are_numbered_in_the_order_in_which_they_are_answered() -> None:
    buttons = Message(
        "", buttons=(Button("answer", "14型", "q.0"), Button("answer", "16型", "q.1"))
    )
    options = (Option("q.0", "りんご"), Option("q.1", "みかん"))
    listed = Message("", select=Select("answer", "選択", "q", options))

    assert choices(buttons) == [("q.0", "14型"), ("q.1", "16型")]
    assert "1. 14型" in _shown(buttons)
    assert "2. みかん" in _shown(listed)


def test_what_a_person_typed_neither_steers_the_terminal_nor_is_read_as_markup() -> None:
    typed = "[red]赤[/red]\x1b[2J\x1b]0;title\x07\r\u202e上書き"

    shown = _shown(Message("", body=typed, files=(Attachment("0", "a\x1b[A.pdf", "x"),)))

    assert "[red]赤[/red]" in shown
    assert not set(shown) & {"\x1b", "\x07", "\r", "\u202e"}


def test_line_breaks_stay() -> None:
    assert clean("一行目\n二行目\t続き") == "一行目\n二行目\t続き"


def test_amounts_stand_under_each_other_at_the_right() -> None:
    lines = (Line("モニター", "5台", "164,000円"), Line("A", "10個", "580円"))

    first, second = _shown(Message("", lines=lines)).splitlines()

    assert first.rstrip().endswith("164,000円")
    assert second.rstrip().endswith("580円")
    assert cell_len(first.rstrip()) == cell_len(second.rstrip())
