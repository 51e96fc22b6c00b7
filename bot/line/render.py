"""A neutral Message as what LINE shows: a text, or a Flex bubble where it has a structure.

Pure: the ids of presses are worked out, links and the picture are made before. Whatever a person
typed, LINE takes the outcome: it is cut to what fits and no text of it is read as anything else.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.line import flex, limits, quick_replies, words
from bot.line.amounts import without_amounts
from bot.line.bubble import bubble, size
from bot.line.flex import Json, Press
from bot.line.text import cut, parts, units
from core.messages import Attachment, Field, Message

SHOWS = "show"
"""The action of a button that shows one thing of a list."""
_ROOM = 1_000
"""Bytes of a bubble or a carousel that are left free: how LINE counts is not told to the byte."""

_IN_SHORT = 500
"""Characters of a message whose bubble would be too big whatever is cut of it."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is beside a message when it is shown.

    `press` makes the id that a button carries of its action and value; `link` is the address of a
    file, None where there can't be one; `picture` that of the first page (https, a PNG or JPEG of
    at most 1,024 pixels each way). `quick` is the first choice that is offered, where they take
    several pages. `amounts`: whether this chat may see amounts.
    """

    press: Press
    link: Callable[[Attachment], str | None]
    picture: str | None = None
    quick: int = 0
    amounts: bool = True


def render(message: Message, look: Look, *, code: str = "") -> list[Json]:
    """One to five messages. `code` is what is typed to decide without a button."""
    if not look.amounts:
        message, code = without_amounts(message), ""
        look = Look(look.press, look.link)
    listed = _one_each(message)
    if listed:
        return [{**carousel(listed, look), "altText": told(message)}]
    is_text = quick_replies.is_plain(message) and look.picture is None
    found = _texts(message, look) if is_text else _flex(message, look, code)
    quick = _quick(message, look)
    if quick:
        found[-1] = {**found[-1], "quickReply": {"items": quick}}
    return found


def carousel(messages: Sequence[Message], look: Look) -> Json:
    """Several messages side by side, as many as LINE takes: those that come first.

    Their choices and pictures are not shown: a carousel is for looking through and for pressing.
    """
    look = replace(look, picture=None)
    shown = [each if look.amounts else without_amounts(each) for each in messages]
    most = limits.CAROUSEL - _ROOM
    bubbles: list[Json] = []
    used = 0
    for message in shown[: limits.BUBBLES]:
        made = _fitting(message, look, "")
        if used + size(made) > most:
            break
        bubbles.append(made)
        used += size(made) + 1
    alt = "\n".join(told(each) for each in shown[: len(bubbles)])
    contents: Json = {"type": "carousel", "contents": bubbles}
    return {"type": "flex", "altText": cut(alt, limits.ALT_TEXT), "contents": contents}


def _one_each(message: Message) -> Sequence[Message]:
    """A list of things of which each has its own button, as a message each below a first one with
    the rest. None where it is no such list, or too long for a carousel."""
    shows = [button for button in message.buttons if button.action == SHOWS]
    if not 1 < len(shows) == len(message.lines) < limits.BUBBLES or message.fields:
        return ()
    others = tuple(button for button in message.buttons if button.action != SHOWS)
    head = replace(message, lines=(), buttons=others)
    has_more = others or message.body or message.note or message.totals or message.sections
    one = Message("", language=message.language)
    pairs = zip(message.lines, shows, strict=True)
    return [
        *([head] if has_more else []),  # else its title says nothing that the others do not
        *(
            replace(
                one,
                text=line.name,
                title=line.name,
                body=line.detail,
                totals=(Field(words.AMOUNT.to(message.language), line.amount),)
                if line.amount.strip()
                else (),
                buttons=(show,),
            )
            for line, show in pairs
        ),
    ]


def told(message: Message, code: str = "", most: int = limits.ALT_TEXT) -> str:
    """All that a bubble shows, as a text: what notifications, lists of chats and PCs show of it."""
    said = message.text.strip() or message.title.strip()
    found, used = [said], len(said)
    for row, mark in _rows(message, code):
        # What the text has said already is not said twice.
        if row.strip() and mark.strip() not in said:
            found.append(row.strip())
            used += len(row)
        if used > most:
            break
    return cut("\n".join(found), most) or "…"


def _rows(message: Message, code: str) -> Iterator[tuple[str, str]]:
    """Each row of a bubble, and by what one knows whether it was said."""
    steps = [
        f"{flex.STATES[step.state][0]} {step.label} {step.at}"
        for step in message.progress
        if step.label
    ]
    yield "\n".join(step.strip() for step in steps), steps[0].strip() if steps else ""
    yield message.body, message.body
    for field in message.fields:
        yield f"{field.label}: {field.value}", field.value
    for line in message.lines:
        yield f"{line.name} {line.detail} {line.amount}", line.name
    for total in message.totals:
        yield f"{total.label} {total.value}", f"{total.label} {total.value}"
    for section in message.sections:
        yield f"{section.label}\n{section.value}", section.value
    yield message.note, message.note
    if code:
        yield words.IN_WORDS.fill(code=code).to(message.language), code
    for file in message.files:
        yield file.name, file.name


def _quick(message: Message, look: Look) -> list[Json]:
    """The calendar first, then what else can be chosen."""
    found = []
    if message.dates is not None:
        found.append(quick_replies.day(message.dates, look.press))
    offered = quick_replies.choices(message)
    return found + quick_replies.items(offered, look.quick, look.press, message.language)


# A text


def _texts(message: Message, look: Look) -> list[Json]:
    offered = quick_replies.choices(message)
    listed = quick_replies.listed(offered, look.quick, message.language)
    if listed:
        asked = message.body.strip() or message.text.strip()
        said = f"{asked}\n{listed}"
    else:
        said = message.text.strip() or message.title.strip() or message.body.strip()
    if message.note.strip() and message.note.strip() not in said:
        said = f"{said}\n{message.note.strip()}"
    return texts(said, message)


def texts(said: str, message: Message) -> list[Json]:
    """A text as messages; what is left over after five of them is said to be."""
    found, over = parts(said)
    if over:
        goes_on = words.GOES_ON.fill(n=over).to(message.language)
        room = limits.TEXT - units(goes_on) - 2
        found[-1] = f"{cut(found[-1], room)}\n\n{goes_on}"
    return [{"type": "text", "text": part} for part in found]


# A bubble


def _flex(message: Message, look: Look, code: str) -> list[Json]:
    made = _fitting(message, look, code)
    return [{"type": "flex", "altText": told(message, code), "contents": made}]


def _fitting(message: Message, look: Look, code: str) -> Json:
    """The bubble, its texts cut shorter where it would be too big; in a few words and with its
    buttons where even that is."""
    most = limits.BUBBLE - _ROOM
    for share in (1.0, 0.5, 0.2, 0.05):
        made = bubble(message, look.press, look.link, look.picture, code, most, share)
        if size(made) <= most:
            return made
    said = told(message, code, _IN_SHORT)
    only = Message(said, body=said, files=message.files, language=message.language)
    only = replace(only, buttons=message.buttons)
    return bubble(only, look.press, look.link, None, "", most, 1.0)
