"""One message as one Flex bubble: title, picture, how far it is, what it is about, buttons."""

import json
import re
from collections.abc import Callable, Iterable, Sequence

from bot.line import flex, limits, words
from bot.line.flex import Json, Press
from bot.line.quick_replies import pressable
from bot.line.text import cut, units
from core.messages import Attachment, Field, Line, Message, Progress

_REFERENCE = re.compile(r"#\d{1,18}")
_LINES = 30
"""So many lines of an order are shown at most: a bubble is read on a phone."""
_STEPS = 30
_FIELDS = 20
_ADDRESS = re.compile(r"https?://[!-~]+")
_SECTIONS = 5
_TOTALS = 12
_PARAGRAPHS = 12
_BUTTONS = 12
_ROW = 520
"""Bytes of a line's row without its texts, generously."""


def size(part: object) -> int:
    """Bytes of its JSON as the SDK writes it: each character beyond ASCII escaped to six."""
    return len(json.dumps(part, separators=(",", ":")))


def bubble(
    message: Message,
    press: Press,
    link: Callable[[Attachment], str | None],
    picture: str | None,
    code: str,
    most: int,
    share: float,
) -> Json:
    """The bubble; texts that may be long are cut to `share` of what is usual for them.

    Lines are shown as far as all fits into `most` bytes, the rest is counted.
    """

    def short(text: str, usual: int) -> str:
        return cut(text, max(20, int(usual * share)))

    made: Json = {"type": "bubble", "size": "mega", "styles": flex.STYLES}
    title = short(message.title, 200)
    if title:
        heading = flex.text(title, "md", flex.ON_HEAD, weight="bold")
        made["header"] = flex.box("vertical", [heading], paddingAll="lg")
    if picture is not None and len(picture) <= limits.PICTURE_URL:
        made["hero"] = _hero(message, picture)
    links = [(each, link(each)) for each in message.files[:4]]
    foot = _foot(message, press, links)
    closed = bool(message.note) and bool(message.totals) and not foot
    note = short(message.note, 800)
    above = _above(message, short, note if closed else "")
    below = [
        *_totals(message.totals, short),
        *_sections(message.sections, short),
        *_small(
            [*_without_link(message, links), *([] if closed else [note]), _code(message, code)]
        ),
    ]
    if message.lines:
        room = most - size([made, above, below, foot])
        above += _lines(message, short, room)
    contents = [*above, *below] or [flex.text(short(message.text or "…", 1_000) or "…")]
    # What opens a block needs no rule above it.
    if contents[0] is flex.RULED:
        contents = contents[1:]
    made["body"] = flex.box("vertical", contents, spacing="sm", paddingAll="lg")
    if foot:
        made["footer"] = flex.box("vertical", foot, spacing="sm", paddingAll="lg")
    return made


Short = Callable[[str, int], str]


def _hero(message: Message, picture: str) -> Json:
    shown: Json = {
        "type": "image",
        "url": picture,
        "size": "full",
        "aspectRatio": "4:3",
        "aspectMode": "fit",
        "backgroundColor": flex.SOFT,
    }
    if len(picture) <= limits.URI:
        shown["action"] = {"type": "uri", "label": "PNG", "uri": picture}
    return shown


def _above(message: Message, short: Short, verdict: str) -> list[Json]:
    """What stands above the lines: how it ended, how far it is, what is said, what it is about."""
    found: list[Json] = []
    if verdict:
        found.append(flex.text(verdict, "sm", flex.INK, weight="bold"))
    found += _progress(message.progress, short)
    body = short(message.body, 1_500)
    if not body and not (message.title or message.fields or message.lines or message.progress):
        body = short(message.text, 1_500)
    if body:
        found.append(flex.text(body))
    fields = _fields(message.fields, short)
    return [*found, *([flex.RULED] if fields and message.progress else []), *fields]


def _progress(steps: Sequence[Progress], short: Short) -> list[Json]:
    if not steps:
        return []
    shown = steps[:_STEPS]
    rows = []
    for step in [step for step in shown if step.label]:
        mark, color = flex.STATES[step.state]
        bold = step.state in {"running", "waiting", "failed"}
        weight: Json = {"weight": "bold"} if bold else {}
        row = [
            flex.text(mark, "sm", color, flex=1, align="center"),
            flex.text(short(step.label, 60) or "…", "sm", color, flex=10, **weight),
        ]
        at = short(step.at, 20)
        # The marks stand below one another, also of steps without a time.
        row.append(
            flex.amount(at, "xs", flex.QUIET, flex=5) if at else {"type": "filler", "flex": 5}
        )
        rows.append(flex.box("baseline", row, spacing="sm"))
    return [flex.bar([step.state for step in shown]), *rows]


def _fields(fields: Sequence[Field], short: Short) -> list[Json]:
    """Label and value beside each other; one that has several lines below its label."""
    shown = [each for each in fields if each.label.strip() or each.value.strip()][:_FIELDS]
    usual = min(600, 3_000 // max(1, len(shown)))
    found: list[Json] = []
    for each in shown:
        label, value = short(each.label, 60), short(each.value, usual)
        if "\n" in value or not label or not value or units(label) > 24:
            found += [flex.text(label, "xs", flex.QUIET, weight="bold")] if label else []
            found += [flex.text(line) for line in _paragraphs(value)]
            continue
        row = [
            flex.text(label, "xs", flex.QUIET, flex=2),
            flex.text(value, "sm", **_opened(value), flex=3),
        ]
        found.append(flex.box("horizontal", row, spacing="md"))
    return found


def _opened(value: str) -> Json:
    """How a value is shown that is an address: unlike in a text, LINE makes no link of it here."""
    if not _ADDRESS.fullmatch(value) or len(value) > limits.URI:
        return {"color": flex.INK}
    action = {"type": "uri", "uri": value}
    return {"color": flex.LINK, "decoration": "underline", "action": action}


def _paragraphs(value: str) -> list[str]:
    """Its lines, so that one that breaks is told from the next."""
    found = [line for line in value.split("\n") if line.strip()]
    return (
        [*found[: _PARAGRAPHS - 1], "\n".join(found[_PARAGRAPHS - 1 :])]
        if found[_PARAGRAPHS:]
        else found
    )


def _lines(message: Message, short: Short, room: int) -> list[Json]:
    found: list[Json] = []
    for place, line in enumerate(message.lines):
        row, taken = _line(line, short)
        room -= taken
        last = place + 1 == len(message.lines)
        if place == _LINES or room < (0 if last else _ROW):
            more = words.MORE_LINES.fill(n=len(message.lines) - place).to(message.language)
            found.append(flex.text(more, "xs", flex.QUIET))
            break
        found.append(row)
    return [flex.RULED, *found]


def _line(line: Line, short: Short) -> tuple[Json, int]:
    """What at the left, how much it comes to at the right; and its bytes of JSON at most."""
    name, detail, amount = short(line.name, 120), short(line.detail, 120), short(line.amount, 40)
    taken = _ROW + 6 * (units(name) + units(detail) + units(amount))
    left: list[Json] = [flex.text(name or "…")]
    if detail:
        left.append(flex.text(detail, "xs", flex.QUIET))
    if not amount:
        return flex.box("vertical", left), taken
    row = [flex.box("vertical", left, flex=5), flex.amount(amount, flex=3)]
    return flex.box("horizontal", row, spacing="md"), taken


def _totals(totals: Sequence[Field], short: Short) -> list[Json]:
    shown = totals[-_TOTALS:]
    found: list[Json] = [flex.RULED] if shown else []
    for each in shown[:-1]:
        found.append(_total(each, short, "sm", flex.QUIET, flex.INK))
    for each in shown[-1:]:
        found.append(_total(each, short, "md", flex.INK, flex.INK, weight="bold"))
    return found


def _total(total: Field, short: Short, size: str, label: str, value: str, **more: object) -> Json:
    row = [
        flex.text(short(total.label, 40) or "…", size, label, flex=4, **more),
        flex.amount(short(total.value, 40) or "…", size, value, flex=4, **more),
    ]
    return flex.box("horizontal", row, spacing="md")


def _sections(sections: Sequence[Field], short: Short) -> list[Json]:
    found: list[Json] = []
    for each in [each for each in sections if each.value.strip()][:_SECTIONS]:
        found.append(flex.RULED)
        label = short(each.label, 60)
        if label:
            found.append(flex.text(label, "xs", flex.QUIET, weight="bold"))
        found.append(flex.text(short(each.value, 800) or "…"))
    return found


def _small(texts: Iterable[str]) -> list[Json]:
    return [flex.text(each, "xs", flex.QUIET, margin="md") for each in texts if each]


def _code(message: Message, code: str) -> str:
    return words.IN_WORDS.fill(code=code).to(message.language) if code else ""


def _without_link(message: Message, links: Sequence[tuple[Attachment, str | None]]) -> list[str]:
    said = words.NO_LINK
    return [said.fill(name=cut(f.name, 80)).to(message.language) for f, uri in links if not uri]


# What can be pressed


def _foot(
    message: Message, press: Press, links: Sequence[tuple[Attachment, str | None]]
) -> list[Json]:
    """The buttons: the loud ones below one another, what is wanted rarely in pairs below them."""
    named = _REFERENCE.search(f"{message.title} {message.text}")
    about = named.group() if named else ""
    shown = pressable(message)[:_BUTTONS]
    loud = [flex.pressed(each, press, about) for each in shown if each.style != "quiet"]
    quiet = [flex.pressed(each, press, about) for each in shown if each.style == "quiet"]
    opens = [(each, uri) for each, uri in links if uri and len(uri) <= limits.URI]
    for each, uri in opens:
        said = words.OPEN if len(opens) == 1 else words.OPEN_NAMED.fill(name=cut(each.name, 80))
        loud.append(flex.linked(said.to(message.language), uri or ""))
    pairs = [quiet[n : n + 2] for n in range(0, len(quiet), 2)]
    return [*loud, *(flex.box("horizontal", pair, spacing="sm") for pair in pairs)]
