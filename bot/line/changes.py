"""What is said of a change where nothing can be edited: only what is new, or a new card."""

from collections.abc import Iterator
from dataclasses import replace

from bot.line import flex
from bot.line.amounts import without_amounts
from bot.line.flex import Json
from bot.line.press_ids import presses_of
from bot.line.render import Look, render
from bot.line.text import clean
from core.messages import Field, Message

_BACK = frozenset({"undo"})
"""What is offered to somebody for what they did themselves: no new card is needed for it."""
_ROWS = 12


def render_change(
    before: Message | None, after: Message, look: Look, *, code: str = ""
) -> list[Json]:
    """The messages that tell it, in the one or other way; none where there is nothing to tell.

    With something new to press the card is shown again as it is now. Else it is a text: how it
    ended, or what else is new. The old card stays as it was; whoever presses it is told the state.
    """
    if not look.amounts:
        before = without_amounts(before) if before is not None else None
        after = without_amounts(after)
    if before is None:
        return render(after, look, code=code)
    fresh = set(presses_of(after)) - set(presses_of(before))
    if after.files != before.files or any(action not in _BACK for action, _ in fresh):
        return render(after, look, code=code)
    told = _news(before, after)
    if not told and not fresh:
        return []
    short = Message(
        text="\n".join([_what(after), *told]),
        title=_what(after) if fresh else "",
        body="\n".join(told),
        buttons=tuple(b for b in after.buttons if (b.action, b.value) in fresh),
        language=after.language,
    )
    return render(short, replace(look, picture=None))


def _what(message: Message) -> str:
    """What it is about, in a line."""
    return clean(message.title) or clean(message.body or message.text).partition("\n")[0]


def _news(before: Message, after: Message) -> list[str]:
    if after.note.strip() and after.note != before.note:
        return [after.note.strip()]
    return list(_rows(before, after))[:_ROWS]


def _rows(before: Message, after: Message) -> Iterator[str]:
    """What is new in each part."""
    was = {(step.label, step.state) for step in before.progress}
    for step in after.progress:
        if step.label and (step.label, step.state) not in was:
            yield f"{flex.STATES[step.state][0]} {step.label} {step.at}".strip()
    if after.body != before.body:
        yield from _new_lines(before.body, after.body)
    yield from _new_fields(before.fields, after.fields)
    for line in after.lines:
        if line not in before.lines:
            yield f"{line.name} {line.detail} {line.amount}".strip()
    yield from _new_fields(before.totals, after.totals)
    said = "\n".join(each.value for each in before.sections)
    for section in after.sections:
        yield from _new_lines(said, section.value)


def _new_fields(before: tuple[Field, ...], after: tuple[Field, ...]) -> Iterator[str]:
    for each in after:
        if each not in before:
            yield f"{each.label}: {each.value}"


def _new_lines(before: str, after: str) -> Iterator[str]:
    was = {line.strip() for line in before.split("\n")}
    for line in after.split("\n"):
        if line.strip() and line.strip() not in was:
            yield line.strip()
