"""Where nothing can be edited, a change is told by what is new of it, once and shortly."""

from dataclasses import replace
from typing import Any

from bot.line.changes import render_change
from core.messages import Button, Field, Message
from tests.bot.line.test_render import CARD, LOOK, QUESTION


def _told(before: Message | None, after: Message) -> list[dict[str, Any]]:
    return render_change(before, after, LOOK, code="4821")


def test_a_card_that_was_decided_elsewhere_is_closed_in_a_line() -> None:
    closed = replace(CARD, buttons=(), note="承認: 鈴木（10:31、Slack）")

    assert _told(CARD, closed) == [
        {"type": "text", "text": "承認のお願い: #1042 見積書\n承認: 鈴木（10:31、Slack）"}
    ]


def test_what_is_the_same_is_not_told_again() -> None:
    assert _told(CARD, CARD) == []
    assert _told(CARD, replace(CARD, text="another text", buttons=CARD.buttons[:1])) == []


def test_a_card_with_something_new_to_press_is_shown_again_with_its_code() -> None:
    next_step = replace(CARD, buttons=(Button("approve", "承認", "2", "primary"),))

    [shown] = _told(CARD, next_step)
    assert shown["type"] == "flex"
    assert "承認 4821" in shown["altText"]
    assert _told(None, CARD)[0]["type"] == "flex"


def test_what_can_be_taken_back_comes_with_the_word_of_it() -> None:
    undo = replace(CARD, note="承認: 鈴木", buttons=(Button("undo", "承認を取り消す", "1"),))

    [shown] = _told(CARD, undo)
    assert shown["contents"]["body"]["contents"][0]["text"] == "承認: 鈴木"
    assert len(shown["contents"]["footer"]["contents"]) == 1


def test_of_a_card_that_still_waits_only_what_is_new_is_told() -> None:
    said = Field("コメントと質問", "鈴木: 急ぎです\n田中: 了解しました")
    moved = replace(
        CARD,
        fields=(*CARD.fields, Field("承認できる人", "田中")),
        sections=(said,),
    )

    [shown] = _told(CARD, moved)
    assert shown["text"] == "承認のお願い: #1042 見積書\n承認できる人: 田中\n田中: 了解しました"


def test_a_question_that_was_answered_says_the_answer() -> None:
    asked = replace(QUESTION, buttons=(Button("answer", "はい", "q.0"),))
    answered = replace(asked, buttons=(), note="回答: はい")

    assert _told(asked, answered) == [{"type": "text", "text": "どの品目ですか？\n回答: はい"}]
