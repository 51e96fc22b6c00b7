"""What can be chosen, as quick replies below the input field: 13 at most, so by pages.

They are gone with the next message of the chat. So the text lists what they offer, and an answer
can be written as well.
"""

from collections.abc import Sequence

from bot.line import limits, words
from bot.line.flex import Json, Press, postback
from bot.line.text import label
from core.messages import Button, Dates, Message
from core.words import Language

ANSWERS = "answer"
"""The action of a choice."""
TURNS = "page"
"""The action that shows another page; its value is the question's id, a point, and the place of
the first choice to show."""
_NO_BUTTON = frozenset({ANSWERS, "edit", "open"})
"""Choices are quick replies, and there are no forms on LINE: what they ask is written."""
_AT_ONCE = limits.QUICK_REPLIES - 1
"""Choices up to which there are no pages; there may be a calendar beside them."""
_FIRST_PAGE = _AT_ONCE - 1  # one leads on
_LATER_PAGE = _AT_ONCE - 2  # and one back


def is_plain(message: Message) -> bool:
    """Whether a text says all of it, with what can be pressed as quick replies."""
    has_parts = (
        message.fields
        or message.lines
        or message.totals
        or message.sections
        or message.progress
        or message.files
    )
    return not has_parts and all(each.style == "quiet" for each in _pressable(message))


def pressable(message: Message) -> Sequence[Button]:
    """The buttons that stand on the message itself."""
    return () if is_plain(message) else _pressable(message)


def _pressable(message: Message) -> Sequence[Button]:
    return [each for each in message.buttons if each.action not in _NO_BUTTON]


def choices(message: Message) -> Sequence[Button]:
    """What a message offers to choose from: answers, then what is offered beside a plain text."""
    offered = [button for button in message.buttons if button.action == ANSWERS]
    if message.select is not None:
        action = message.select.action
        offered += [Button(action, each.label, each.value) for each in message.select.options]
    if is_plain(message):
        offered += _pressable(message)
    return offered


def page(offered: Sequence[Button], first: int) -> tuple[int, int]:
    """From which choice to before which one the page goes that `first` is on."""
    if len(offered) <= _AT_ONCE:
        return 0, len(offered)
    start, end = 0, _FIRST_PAGE
    while first >= end and end < len(offered):
        rest = len(offered) - end
        start, end = end, end + (rest if rest <= _FIRST_PAGE else _LATER_PAGE)
    return start, end


def pages(offered: Sequence[Button]) -> Sequence[Button]:
    """The presses that lead from page to page."""
    found = []
    first, end = page(offered, 0)
    while end < len(offered):
        found += [_turn(offered, first), _turn(offered, end)]
        first, end = page(offered, end)
    return found


def items(offered: Sequence[Button], first: int, press: Press, language: Language) -> list[Json]:
    """One page of choices. Those too long for their button are known by the number in the text."""
    start, end = page(offered, first)
    numbered = _is_numbered(offered)
    found = []
    if start > 0:
        back = 0 if start <= _FIRST_PAGE else start - _LATER_PAGE
        found.append(_item(_turn(offered, back), words.BACK.to(language), press))
    for place in range(start, end):
        each = offered[place]
        is_listed = numbered and each.style != "quiet"
        shown = f"{place + 1}. {each.label}" if is_listed else each.label
        found.append(_item(each, shown, press))
    if end < len(offered):
        found.append(_item(_turn(offered, end), words.NEXT.to(language), press))
    return found


def listed(offered: Sequence[Button], first: int, language: Language) -> str:
    """The answers of a page as lines of the text."""
    start, end = page(offered, first)
    answers = len(_answers(offered))
    mark = "{}. " if _is_numbered(offered) else "・"
    found = [
        mark.format(place + 1) + offered[place].label for place in range(start, min(end, answers))
    ]
    if found and end - start < len(offered):
        told = words.PAGE.fill(all=len(offered), first=start + 1, last=end)
        found.append(told.to(language))
    return "\n".join(found)


def _is_numbered(offered: Sequence[Button]) -> bool:
    """Whether a number tells which button is which: some are too long for theirs."""
    return any(len(each.label) > limits.QUICK_LABEL for each in _answers(offered))


def _answers(offered: Sequence[Button]) -> Sequence[Button]:
    return [each for each in offered if each.style != "quiet"]


def _turn(offered: Sequence[Button], first: int) -> Button:
    question = offered[0].value.rpartition(".")[0]
    return Button(TURNS, "", f"{question}.{first}")


def _item(button: Button, shown: str, press: Press) -> Json:
    action = postback(button, press, label(shown, limits.QUICK_LABEL))
    if button.action == TURNS:
        del action["displayText"]
    return {"type": "action", "action": action}


def day(dates: Dates, press: Press) -> Json:
    """A quick reply that opens the picker of a day."""
    pick = {
        "type": "datetimepicker",
        "label": label(dates.label, limits.QUICK_LABEL),
        "data": press(dates.action, dates.value),
        "mode": "date",
    }
    return {"type": "action", "action": pick}
