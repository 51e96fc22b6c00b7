"""Several approvals given together (一括承認): listed first, then each decided as it was listed.

What is confirmed are the steps themselves, by their ids: a step whose content has changed since, or
that somebody else has decided, is another one or none, and is left out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import phrases, tasks
from core.approvals import deciding
from core.approvals.inbox import Waiting, waiting_for
from core.approvals.standing import check_open, check_right
from core.approvals.steps_shown import short_moment
from core.approvals.view import latest_of
from core.commands import Target
from core.db import fetch_all
from core.errors import Refused
from core.inbound import Answer
from core.messages import Button, Line, Message
from core.request import Request
from core.unit import Unit
from core.words import Language, Words

AT_ONCE = 20
"""So many are decided together: each takes its own check, under its own task's lock."""

ALL = frozenset({"all", "すべて", "全て", "全部", "一括", "small", "少額", "小额"})
"""What is said instead of numbers: all small ones."""

CONFIRM = Words(ja="{n}件をまとめて承認しますか？", en="Approve these {n}?", zh="批准以下 {n} 项？")
DO_IT = Words(ja="{n}件を承認", en="Approve {n}", zh="批准 {n} 项")
IN_WORDS = Words(
    ja="文字では「{words}」で確定します。", en="In words: “{words}”.", zh="也可发送“{words}”确认。"
)
SMALL_ONES = Words(
    ja="{most}円以下の{n}件をまとめて承認", en="Approve all {n} up to {most} yen",
    zh="一并批准 {most} 日元以下的 {n} 项",
)  # fmt: skip
NONE_SMALL = Words(
    ja="{most}円以下の承認待ちはありません。",
    en="Nothing of up to {most} yen waits for you.",
    zh="没有 {most} 日元以下的待审批事项。",
)
NOTHING_LEFT = Words(
    ja="いま承認できるものはありません。", en="There is nothing to approve now.",
    zh="目前没有可批准的事项。",
)  # fmt: skip
DONE_OF = Words(
    ja="{n}件中{done}件を承認しました。",
    en="{done} of {n} approved.",
    zh="{n} 项中已批准 {done} 项。",
)

_ITEM = re.compile(r"#?(\d{1,18})(?:[:：]([0-9a-f]{8}))?(?=$|[\s、,])")
_BETWEEN = re.compile(r"[\s、,]*")


@dataclass(frozen=True, slots=True)
class Item:
    """A task that is named in a list, and the code of the step as it was listed, if it was."""

    reference: int
    code: str | None


def read_items(text: str) -> tuple[Item, ...]:
    """The tasks of a list such as `#1042 #1043`; () where the text is anything else. A single one
    is a list only with a code."""
    found, at = [], _BETWEEN.match(text)
    place = at.end() if at else 0
    while place < len(text):
        match = _ITEM.match(text, place)
        if match is None:
            return ()
        found.append(Item(int(match[1]), match[2]))
        rest = _BETWEEN.match(text, match.end())
        place = rest.end() if rest else match.end()
    items = tuple({item.reference: item for item in found}.values())
    return items if len(items) > 1 or any(item.code for item in items) else ()


def code_of(stage: UUID) -> str:
    """What names a step in a list that is confirmed in words."""
    return stage.hex[-8:]


def small(house_small: int, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Those that are offered together: up to the amount, with an amount that is known."""
    return [each for each in waiting if each.amount is not None and each.amount <= house_small]


def small_button(house_small: int, found: Sequence[Waiting], language: Language) -> Button:
    """Offers to approve all small ones; the press lists them once more."""
    label = SMALL_ONES.fill(n=len(found), most=f"{house_small:,}").to(language)
    return Button("approve_small", label, value_of([each.stage for each in found]))


def value_of(stages: Sequence[UUID]) -> str:
    """Some steps, as a button carries them."""
    return ",".join(stage.hex for stage in stages)


def stages_of(value: str) -> list[UUID]:
    """The steps that a button carries. Raises Refused where it carries none."""
    try:
        return [UUID(each) for each in value.split(",")][:AT_ONCE]
    except ValueError as error:
        raise Refused(NOTHING_LEFT) from error


# One confirmation that lists them


async def list_small(work: Unit, request: Request) -> Answer:
    """All small ones that wait for this person, to be confirmed."""
    most = request.house.approval_small
    waiting = await waiting_for(work.connection, request.house, request.person, AT_ONCE)
    found = small(most, waiting)
    if not found:
        return request.say(NONE_SMALL.fill(most=f"{most:,}"), "told")
    return confirmation(request, found, [])


async def list_stages(work: Unit, request: Request, stages: Sequence[UUID]) -> Answer:
    """Those steps that still wait for this person, to be confirmed."""
    waiting = await waiting_for(work.connection, request.house, request.person, AT_ONCE)
    return confirmation(request, [each for each in waiting if each.stage in stages], [])


async def list_items(work: Unit, request: Request, items: Sequence[Item]) -> Answer:
    """Those of some tasks that wait for this person, to be confirmed; why the others don't."""
    waiting = await waiting_for(work.connection, request.house, request.person, 1_000)
    by_reference = {each.reference: each for each in waiting}
    named = items[:AT_ONCE]
    found = [by_reference[i.reference] for i in named if i.reference in by_reference]
    others = [
        await _why_not(work.connection, request, item.reference)
        for item in named
        if item.reference not in by_reference
    ]
    return confirmation(request, found, others)


def confirmation(request: Request, found: Sequence[Waiting], others: Sequence[str]) -> Answer:
    """What would be approved, each with its amount, and a button that does it."""
    language = request.language
    if not found:
        text = "\n".join([NOTHING_LEFT.to(language), *others])
        return Answer("told", Message(text, language=language))
    title = CONFIRM.fill(n=len(found)).to(language)
    lines = tuple(line(each, language, request.person.time_zone) for each in found)
    codes = " ".join(f"{each.spoken}:{code_of(each.stage)}" for each in found)
    note = "\n".join([*others, IN_WORDS.fill(words=f"approve {codes}").to(language)])
    message = Message(
        text="\n".join([title, *(f"{e.name}  {e.amount}" for e in lines), note]),
        title=title,
        lines=lines,
        buttons=(
            Button(
                "approve_all", DO_IT.fill(n=len(found)).to(language),
                value_of([each.stage for each in found]), "primary",
            ),
        ),
        note=note,
        language=language,
    )  # fmt: skip
    return Answer("told", message)


def line(waiting: Waiting, language: Language, zone: str) -> Line:
    """One that waits, as a line of a list."""
    name = f"{waiting.spoken} {waiting.title.to(language)}  {waiting.requester}"
    parts = [waiting.text]
    if waiting.person is not None:
        parts.append(phrases.FOR_PERSON.fill(person=waiting.person).to(language))
    if waiting.due_at is not None:
        due = short_moment(waiting.due_at, zone)
        parts.append(phrases.DUE_AT.fill(at=due).to(language))
    return Line(name, "　".join(part for part in parts if part), waiting.total)


async def _why_not(connection: AsyncConnection, request: Request, reference: int) -> str:
    """Why a task can't be approved by this person now, in a line."""
    spoken, language = f"#{reference}", request.language
    organisation_id = request.person.organisation_id
    try:
        task_id = await tasks.find(connection, organisation_id, Target(reference))
        approval = await latest_of(connection, organisation_id, task_id)
        if approval is None:
            raise Refused(phrases.NOTHING_PENDING.fill(reference=spoken))
        standing = await check_open(connection, request.person, approval)
        await check_right(connection, request.person, standing)
    except Refused as refused:
        return f"{spoken}: {refused.words.to(language)}"
    return f"{spoken}: {NOTHING_LEFT.to(language)}"


# Each on its own


async def approve_items(work: Unit, request: Request, items: Sequence[Item]) -> Answer:
    """Confirmed in words: each as its code says that it was listed."""
    waiting = await waiting_for(work.connection, request.house, request.person, 1_000)
    listed = {(each.reference, code_of(each.stage)): each.stage for each in waiting}
    stages, others = [], []
    for item in items[:AT_ONCE]:
        stage = listed.get((item.reference, item.code or ""))
        if stage is not None:
            stages.append(stage)
        else:
            others.append(await _left_out(work.connection, request, item.reference))
    return await approve_all(work, request, stages, others)


async def _left_out(connection: AsyncConnection, request: Request, reference: int) -> str:
    why = await _why_not(connection, request, reference)
    if why.endswith(NOTHING_LEFT.to(request.language)):
        return f"#{reference}: {phrases.CONTENT_CHANGED.to(request.language)}"
    return why


async def approve_all(
    work: Unit, request: Request, stages: Sequence[UUID], others: Sequence[str] = ()
) -> Answer:
    """Approve each of these steps that still is as it was listed, and say what became of each."""
    said, done = list(others), 0
    for stage, spoken in await _in_order(work.connection, request, stages):
        try:
            async with work.connection.begin_nested():
                decided = await deciding.decide(
                    work, request.person, stage, "approve", "", request.actor
                )
        except Refused as refused:
            said.append(f"{spoken}: {refused.words.to(request.language)}")
        else:
            done += 1
            said.append(decided.words.to(request.language))
    missing = len(stages) + len(others) - len(said)
    said += [f"?: {phrases.CONTENT_CHANGED.to(request.language)}"] * missing
    title = DONE_OF.fill(n=len(said), done=done).to(request.language)
    text = "\n".join([title, *said])
    return Answer("done" if done else "refused", Message(text, language=request.language))


async def _in_order(
    connection: AsyncConnection, request: Request, stages: Sequence[UUID]
) -> list[tuple[UUID, str]]:
    """The steps by their tasks: two people who approve the same ones lock them in one order."""
    rows = await fetch_all(
        connection,
        "select s.id, t.reference from approval_stages s join tasks t on t.id = s.task_id"
        " where s.organisation_id = :organisation_id and s.id = any(:stages)"
        " order by s.task_id, s.place",
        {"organisation_id": request.person.organisation_id, "stages": list(stages)},
    )
    return [(row.id, f"#{row.reference}") for row in rows]
