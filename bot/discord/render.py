"""A neutral Message as Discord's components (V2): pure, and the only place that escapes and cuts.

A card is one container; words alone are one text. What is too long for a message goes on in
further ones of plain content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.discord import limits
from bot.discord.custom_ids import custom_id
from bot.discord.text import cut, escape, plain, split
from core.messages import Button, Field, Line, Message, Option, Progress
from core.words import Language, Words

Json = dict[str, Any]

V2 = 1 << 15
"""The flag of a message that is made of components (docs.discord.com, message flags)."""
EPHEMERAL = 1 << 6
NOBODY: Json = {"parse": [], "replied_user": False}
"""`allowed_mentions`: whatever is in a message, nobody is called by it."""

MORE = "more"
"""The menu for what is wanted rarely; what was meant stands in the option."""
CHOOSE = "choose"

MORE_LINES = Words(
    ja="… ほか {n} 行（PDFを参照）", en="… {n} more lines, see the PDF", zh="… 另有 {n} 行，见PDF"
)
MORE_CHOICES = Words(
    ja="ほか {n} 件は文字で返信してください。",
    en="For {n} more choices please reply in words.",
    zh="其余 {n} 项请用文字回复。",
)
OTHERS = Words(ja="その他の操作", en="More", zh="更多操作")

_MARKS = {"done": "●", "running": "◐", "waiting": "◐", "todo": "○", "failed": "✕", "stopped": "■"}
_STYLES = {"primary": 1, "default": 2, "quiet": 2, "danger": 4}
_GAP = "\u2003"  # an em space: Discord has no columns
_NOTE = 600
_COLOURS = {"failed": 0xC0392B, "waiting": 0xD68910, "running": 0x2E6DB4, "done": 0x2E8B57}


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as Discord takes it: its components, and what of its words goes on after it."""

    components: list[Json]
    more: tuple[str, ...] = ()


def render(
    message: Message, mark: int = 0, picture: str | None = None, ours: str = "", file: str = ""
) -> Shown:
    """A message that Discord takes, whatever is in it. `mark` is the container's id, by which it
    is found again; `picture` and `file` are names of files that go with it; `ours` is the address
    whose links stay links.

    Buttons, title and totals are always whole; of many lines the last are left to the document.
    """
    controls = _controls(message)
    note = cut(_one_line(message.note), _NOTE, ours)
    head, fields, totals, sections = _parts(message, limits.TEXT_ROOM - len(note), ours)
    tail = [*fields, *totals, *sections]
    room = limits.TEXT_ROOM - len(note) - _length([*head, *tail])
    body, more = _body(message, room, ours)
    room -= len(body)
    middle = _lines(message.lines, message.language, room)
    lines = [middle] if middle else []
    texts = [*head, *([body] if body else []), *fields, *lines, *totals, *sections]
    inside: list[Json] = [_text("\n".join(texts))] if texts else []
    if picture is not None and message.picture is not None:
        alt = plain(message.picture.alt, limits.FILE_ALT)
        media = {"media": {"url": f"attachment://{picture}"}, "description": alt}
        inside.append({"type": 12, "items": [media]})
    if file:
        inside.append({"type": 13, "file": {"url": f"attachment://{file}"}})
    if note:
        inside.append(_text(f"-# {note}"))
    inside += controls
    inside = inside or [_text("…")]
    container: Json = {"type": 17, "id": mark, "components": inside}
    colour = _colour(message)
    if colour is not None:
        container["accent_color"] = colour
    return Shown([container], more)


def _text(words: str) -> Json:
    return {"type": 10, "content": words.strip("\n") or "…"}


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _colour(message: Message) -> int | None:
    """Of a task's course only; a plain message has none."""
    states = [step.state for step in message.progress]
    for state in ("failed", "waiting", "running"):
        if state in states:
            return _COLOURS[state]
    return _COLOURS["done"] if states and set(states) == {"done"} else None


def _head(message: Message, ours: str) -> list[str]:
    title = _one_line(message.title)
    found = [f"### {cut(title, 200, ours)}"] if title else []
    return found + [_step(step) for step in message.progress[:30]]


def _step(step: Progress) -> str:
    at = f"{_GAP}{cut(step.at, 20)}" if step.at else ""
    label = cut(_one_line(step.label), 40)
    if label and step.state in {"running", "waiting", "failed"}:
        label = f"**{label}**"
    return f"{_MARKS[step.state]}{_GAP}{label}{at}"


def _body(message: Message, room: int, ours: str) -> tuple[str, tuple[str, ...]]:
    """The words, and what of them goes on in further messages. A card's are cut instead."""
    words = message.body.strip()
    card = bool(message.fields or message.lines or message.totals or message.picture)
    if not words and not (message.title or card or message.progress):
        words = message.text.strip()
    if card:
        return (cut(words, min(room // 2, 1_500), ours) if words else ""), ()
    shown = escape(words, ours)
    if len(shown) <= room:
        return shown, ()
    first, *rest = split(shown, room)
    more = split("\n".join(rest), limits.CONTENT - 1)
    if len(more) > limits.PARTS:
        more = [*more[: limits.PARTS - 1], more[limits.PARTS - 1] + "…"]
    return first, tuple(each for each in more if each.strip())


def _parts(
    message: Message, room: int, ours: str
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Title with progress, fields, totals, sections. Where all is too much, sections are left out
    first, from the last on, then fields, then steps: title and totals always are whole."""
    head = _head(message, ours)
    shown = [each for each in message.fields if each.label.strip() or each.value.strip()][:20]
    most = min(700, 1_400 // max(1, len(shown)))
    fields = [_field(each, most, ours) for each in shown]
    totals = [f"{cut(t.label, 40)}{_GAP}{cut(t.value, 40)}" for t in message.totals[-12:]]
    if totals:
        totals[-1] = f"**{totals[-1]}**"
    sections = [
        f"**{cut(_one_line(each.label), 60)}**\n{cut(each.value.strip(), 600, ours)}"
        for each in [section for section in message.sections if section.value.strip()][:5]
    ]
    for left in (sections, fields, head):
        while len(left) > 1 and _length([*head, *fields, *totals, *sections]) > room - 800:
            left.pop()
    return head, fields, totals, sections


def _length(texts: Sequence[str]) -> int:
    return sum(len(each) + 1 for each in texts)


def _field(field: Field, most: int, ours: str) -> str:
    label, value = cut(_one_line(field.label), 40), cut(field.value.strip(), most, ours)
    return f"**{label}**{_GAP}{value}" if label else value


def _lines(lines: Sequence[Line], language: Language, room: int) -> str:
    """Lines of an order; what does not fit is counted."""
    shown, used = [], 60
    for place, line in enumerate(lines):
        row = _row(line)
        used += len(row) + 1
        if used > room:
            shown.append(MORE_LINES.fill(n=len(lines) - place).to(language))
            break
        shown.append(row)
    return "\n".join(shown)


def _row(line: Line) -> str:
    parts = [cut(_one_line(line.name), 120), cut(_one_line(line.detail), 120)]
    row = f"• {_GAP.join(part for part in parts if part)}"
    amount = cut(line.amount.strip(), 60)
    return f"{row}{_GAP}**{amount}**" if amount else row


# What can be pressed and chosen


def _controls(message: Message) -> list[Json]:
    every = list({custom_id(each.action, each.value): each for each in message.buttons}.values())
    loud = [each for each in every if each.style != "quiet"]
    loud, rest = loud[: limits.MOST_BUTTONS], loud[limits.MOST_BUTTONS :]
    buttons = [_button(each) for each in loud]
    width = limits.ROW_BUTTONS
    found: list[Json] = [
        {"type": 1, "components": buttons[at : at + width]} for at in range(0, len(buttons), width)
    ]
    select = message.select
    if select is not None and select.options:
        unique = list({option.value: option for option in select.options if option.value}.values())
        fitting = [option for option in unique if len(option.value) <= limits.OPTION_TEXT]
        found += _menu(f"{CHOOSE}:{select.action}", select.label, fitting[: limits.OPTIONS])
        left = len(select.options) - len(fitting[: limits.OPTIONS])
        if left > 0:
            words = MORE_CHOICES.fill(n=left).to(message.language)
            found.append(_text(f"-# {words}"))
    quiet = [*rest, *(each for each in every if each.style == "quiet")]
    options = [Option(custom_id(each.action, each.value), each.label) for each in quiet]
    return found + _menu(MORE, OTHERS.to(message.language), options[: limits.OPTIONS])


def _button(button: Button) -> Json:
    return {
        "type": 2,
        "style": _STYLES[button.style],
        "label": plain(button.label, limits.BUTTON_TEXT),
        "custom_id": custom_id(button.action, button.value),
    }


def _menu(name: str, label: str, options: Sequence[Option]) -> list[Json]:
    if not options:
        return []
    menu = {
        "type": 3,
        "custom_id": name[: limits.CUSTOM_ID],
        "placeholder": plain(label, limits.PLACEHOLDER),
        "options": [
            {"label": plain(each.label, limits.OPTION_TEXT), "value": each.value}
            for each in options
        ],
    }
    return [{"type": 1, "components": [menu]}]
