"""A group that is not allowed sees of every message of every agent its title and how far it is."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings

from bot.line.amounts import without_amounts
from bot.line.changes import render_change
from bot.line.quick_replies import is_plain
from bot.line.render import carousel, render
from core import phrases
from core.agent import Agent, Document, Summary
from core.approvals import bulk, card
from core.approvals.inbox import Waiting
from core.approvals.run import Run
from core.approvals.view import ApprovalView, NoteView, StageView
from core.codec import dump
from core.deliveries import Unsure
from core.desk import Desk, DeskLine, desk_message
from core.errors import Choice, Question
from core.messages import Field, Line, Message, Picture
from core.views import DocumentView, TaskView, status_message
from core.words import LANGUAGES, Language, same
from miyabi.plugins import all_agents
from notifier import topics
from tests.bot.line.test_render import LOOK, MESSAGES, PICTURE

SECRET = "987,654円"
TOLD = same(f"{SECRET} です")
NOW = datetime.now(UTC)
ZONE = "Asia/Tokyo"
HIDING = replace(LOOK, picture=PICTURE, amounts=False)


@settings(max_examples=40, deadline=None)
@given(MESSAGES)
def test_whatever_a_message_has_nothing_but_title_and_progress_is_left(message: Message) -> None:
    left = without_amounts(message)

    assert without_amounts(left) == left
    if left == message:  # a mere text without an amount
        assert is_plain(message)
        assert not re.search(r"[円¥万]|\d{4}", f"{message.text}{message.body}{message.note}")
        return
    plain = Message("", language=message.language)
    assert replace(left, text="", title="", body="", progress=()) == plain
    assert left.title in {"", message.title} or re.fullmatch(r"#\d+", left.title)
    assert left.progress == message.progress


@pytest.mark.parametrize("words", ["合計 ９８７，６５４", "壱拾万", "三百五十", "JPY 5", "12000"])
def test_a_text_with_an_amount_in_any_writing_is_not_shown(words: str) -> None:
    assert words not in json.dumps(render(Message(words), HIDING), ensure_ascii=False)


def test_a_text_without_one_is_shown_as_it_is() -> None:
    told = Message("#1042345 を「却下」にしました。")
    assert render(told, HIDING) == render(told, LOOK)


@pytest.mark.parametrize("agent", all_agents().values(), ids=all_agents().keys())
def test_no_amount_of_any_message_of_any_agent_is_shown(agent: Agent) -> None:
    for language in LANGUAGES:
        for message in _messages(agent, language):
            told = replace(message, language=language)
            before = replace(told, note="", buttons=())
            assert SECRET in json.dumps(render(told, LOOK), ensure_ascii=False), "nothing to hide"
            for shown in (
                render(told, HIDING, code="4821"),
                render_change(before, told, HIDING, code="4821"),
                [carousel([told, told], HIDING)],
            ):
                text = json.dumps(shown, ensure_ascii=False)
                for hidden in ("987", "654", "4821", "https:", '"data"', "quickReply"):
                    assert hidden not in text


def test_what_it_is_about_is_still_said() -> None:
    [shown] = render(Message("#1042 Q-2026-0001 を発行しました。合計 180,400円"), HIDING)

    assert shown == {
        "type": "text",
        "text": "#1042\n詳しい内容は、Miyabiとの1対1のトークで確認してください。",
    }
    assert without_amounts(Message("x", title="#7 合計 180,400円")).title == "#7"
    assert without_amounts(Message("x", title="承認のお願い: #1042345 見積書")).title.endswith("書")


def _messages(agent: Agent, language: Language) -> Iterator[Message]:
    """One of each kind, with an amount wherever one can be."""
    summary = Summary(
        fields=(Field("お客様", SECRET),),
        lines=(Line(SECRET, SECRET, SECRET),),
        totals=(Field("合計", SECRET),),
        note=SECRET,
        picture=Picture("a" * 64, SECRET),
        document=Document("b" * 64, f"{SECRET}.pdf", "application/pdf", 1),
    )
    shown = replace(agent, summarise=lambda results, language: summary)
    approval = _approval()
    view = _view(shown, approval, "waiting")
    yield topics.root(view, language)
    yield replace(topics.flash(view, language, ZONE), note=SECRET)
    yield card.card(view, approval, language, ZONE, None)
    yield card.circulated(view, approval, language, ZONE, None)
    question = replace(view, question={"id": "q", **dump(_question())})
    for asked in (topics.question(question, language), topics.question(view, language)):
        if asked is not None:
            yield asked
            yield topics.answered(asked, SECRET, language)
    yield topics.note(view, _note(), language)
    yield topics.word({"words": dump(TOLD)}, language)
    yield topics.failure(view, {"failure": dump(TOLD)}, language)
    yield topics.refused_file(view, {"name": SECRET, "why": dump(TOLD)}, language)
    yield topics.result(view, language)
    yield topics.unknown_message(view, _unsure(), {"why": dump(TOLD)}, language)
    for state in ("failed", "done", "waiting"):
        yield status_message(_view(shown, approval, state), language, ZONE)
    waiting = _waiting(agent)
    yield desk_message(Desk((_mine(),), (waiting,)), language)
    lines = (bulk.line(waiting, language, ZONE),)
    yield Message(SECRET, title=bulk.CONFIRM.fill(n=3).to(language), lines=lines)
    yield Message(phrases.UNKNOWN_COMMAND.fill(word=SECRET, hint="").to(language))


def _view(agent: Agent, approval: ApprovalView, state: str) -> TaskView:
    given: dict[str, Any] = {
        "id": uuid4(), "organisation_id": uuid4(), "reference": 1042, "agent": agent,
        "state": state, "waiting_for": "approval" if state == "waiting" else None,
        "requester": SECRET, "requester_id": uuid4(), "language": "ja", "time_zone": ZONE,
        "text": SECRET, "revision": 2, "question": None, "failure": TOLD, "retry_at": None,
        "attempts": 0, "tries": None, "lane": "interactive", "rank": 0, "created_at": NOW,
        "results": {}, "finished": {}, "approval": approval,
        "documents": (DocumentView("Q-2026-0001", None, voided=False),), "effects": (),
        "unsure": (),
    }  # fmt: skip
    return TaskView(**given)


def _approval() -> ApprovalView:
    stage = StageView(
        uuid4(), 1, 1, SECRET, 2, delegable=True, state="passed", seats=(), note=None,
        opened_at=NOW, due_at=None,
    )  # fmt: skip
    run = Run(uuid4(), "approved", once=False, stages=())
    return ApprovalView(
        run.id, "approved", "quote", 2, "c" * 64, NOW, NOW, SECRET, NOW, None, "approve", SECRET,
        "slack", (), (stage,), (_note(),), (), run,
    )  # fmt: skip


def _note() -> NoteView:
    return NoteView(uuid4(), SECRET, "question", SECRET, NOW, None)


def _question() -> Question:
    return Question("amount", TOLD, (Choice("1", TOLD), Choice("2", same("x"))), "date")


def _unsure() -> Unsure:
    return Unsure(UUID(int=1), "result", None, "line:U1")


def _waiting(agent: Agent) -> Waiting:
    return Waiting(
        uuid4(), uuid4(), 1042, agent.title, SECRET, None, SECRET, SECRET, 987_654, NOW, None, NOW
    )


def _mine() -> DeskLine:
    return DeskLine(uuid4(), 1042, SECRET, phrases.STATES["done"], SECRET)
