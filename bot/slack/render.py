"""A neutral Message as Slack's blocks: pure, and the only place that escapes and cuts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from bot.slack import limits
from core.messages import Button, Field, Line, Message, Option, Progress
from core.words import Language, Words

Json = dict[str, Any]

MORE = "more"
"""The action of the menu for what is wanted rarely; what was meant stands in the option."""

MORE_LINES = Words(
    ja="… ほか {n} 行（PDFを参照）", en="… {n} more lines, see the PDF", zh="… 另有 {n} 行，见PDF"
)
MORE_CHOICES = Words(
    ja="ほか {n} 件はスレッドに文字で返信してください。",
    en="For {n} more choices please reply in words in the thread.",
    zh="其余 {n} 项请在会话串中用文字回复。",
)

_MARKS = {"done": "●", "running": "◐", "waiting": "◐", "todo": "○", "failed": "✕", "stopped": "■"}
_GAP = "\u2003"  # an em space: Slack has no columns inside a text
_SECTIONS = 5
_LINE = 300
"""Characters of one line of a paragraph."""
_GRID_LINES = 5
"""Up to here lines stand in two columns (two of the ten fields of a section each)."""


def escape(words: str) -> str:
    """What a person typed, so that Slack reads none of it as a mark: `<!channel>` pings nobody."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(words: str, most: int) -> str:
    """Escape, and end with … where it would be longer than `most` characters."""
    escaped = escape(words)
    if len(escaped) <= most:
        return escaped
    kept, room = [], most - 1
    for character in words:
        shown = escape(character)
        room -= len(shown)
        if room < 0:
            break
        kept.append(shown)
    return "".join(kept) + "…"


def plain(words: str, most: int) -> Json:
    """A plain_text object. Slack reads the three escapes in it as well, and no marks."""
    return {"type": "plain_text", "text": cut(words.strip() or "…", most)}


def marked(words: str) -> Json:
    """A mrkdwn object of words that are escaped; `verbatim` keeps Slack from adding links."""
    return {"type": "mrkdwn", "text": words, "verbatim": True}


def section(words: str) -> Json:
    """A section of words that are escaped."""
    return {"type": "section", "text": marked(words)}


def fallback(message: Message) -> str:
    """`text` beside the blocks: what notifications and screen readers say."""
    return cut(message.text.strip() or message.title.strip() or "…", limits.FALLBACK_TEXT)


def blocks(message: Message, picture: str | None = None) -> list[Json]:
    """A message as blocks that Slack takes, whatever is in it. `picture` is an uploaded file's id.

    Buttons, title and totals are always whole; of many lines the last are left to the document.
    """
    foot = _controls(message)
    head = _head(message)
    middle = [*_fields(message.fields), *_totals(message.totals)]
    note = _note(message.note)
    if note and message.totals and not foot:
        # A card on which nothing can be pressed any more says why: not in small print below.
        head, note = [*head, section(cut(message.note.strip(), limits.CONTEXT_TEXT))], []
    below = [*_sections(message.sections), *_picture(message, picture), *note, *foot]
    room = limits.MESSAGE_TEXT - _characters([head, middle, below])
    body = _body(message, min(limits.SECTION_TEXT, room // 2 if message.lines else room))
    room -= _characters(body)
    spare = limits.MESSAGE_BLOCKS - len(head) - len(body) - len(middle) - len(below)
    lines = _lines(message.lines, message.language, room, spare)
    return [
        *head,
        *body,
        *_fields(message.fields),
        *lines,
        *_totals(message.totals),
        *below,
    ] or [section(fallback(message))]


def _is_card(message: Message) -> bool:
    return bool(message.fields or message.lines or message.picture)


def _head(message: Message) -> list[Json]:
    title = message.title.strip()
    steps = "\n".join(_step(step) for step in message.progress[:30])
    if title and _is_card(message):
        header = {"type": "header", "text": plain(title, limits.HEADER_TEXT)}
        return [header, *([section(steps)] if steps else [])]
    words = [f"*{cut(title, limits.HEADER_TEXT)}*"] if title else []
    words += [steps] if steps else []
    return [section("\n".join(words))] if words else []


def _step(step: Progress) -> str:
    at = f"{_GAP}{cut(step.at, 20)}" if step.at else ""
    label = cut(step.label.strip(), 40)
    if step.state in {"running", "waiting", "failed"}:
        label = f"*{label}*"
    return f"{_MARKS[step.state]}{_GAP}{label}{at}"


def _body(message: Message, room: int) -> list[Json]:
    words = message.body.strip()
    if not words and not (message.title or _is_card(message) or message.progress):
        words = message.text.strip()
    return [section(cut(words, room))] if words else []


def _fields(fields: Sequence[Field]) -> list[Json]:
    """Two columns. Few fields may be long; of many each is short, so that a card stays a card."""
    shown = [field for field in fields if field.label.strip() or field.value.strip()][:20]
    most = min(1_000, 3_000 // max(1, len(shown)))
    cells = [marked(f"*{cut(f.label.strip(), 60)}*\n{cut(f.value.strip(), most)}") for f in shown]
    return [{"type": "section", "fields": row} for row in _rows(cells, limits.FIELDS)]


def _totals(totals: Sequence[Field]) -> list[Json]:
    if not totals:
        return []
    words = [f"{cut(t.label.strip(), 40)}{_GAP}{cut(t.value.strip(), 40)}" for t in totals[-12:]]
    words[-1] = f"*{words[-1]}*"
    return [{"type": "divider"}, section("\n".join(words))]


def _sections(sections: Sequence[Field]) -> list[Json]:
    """Paragraphs with a heading, whole lines of each as far as there is room."""
    shown = [each for each in sections if each.value.strip()][:_SECTIONS]
    found: list[Json] = [{"type": "divider"}] if shown else []
    for each in shown:
        words = _whole_lines(each.value.strip(), limits.CONTEXT_TEXT)
        found.append(section(f"*{cut(each.label.strip(), 60)}*\n{words}"))
    return found


def _whole_lines(words: str, most: int) -> str:
    """Escaped; what does not fit is left out from a line's beginning on, a long line itself cut."""
    kept: list[str] = []
    for line in words.split("\n"):
        shown = cut(line, _LINE)
        most -= len(shown) + 1
        if most < 2:
            kept.append("…")
            break
        kept.append(shown)
    return "\n".join(kept)


def _lines(lines: Sequence[Line], language: Language, room: int, spare: int) -> list[Json]:
    """Lines of an order, in columns where they are few; what does not fit is counted."""
    if not lines or spare < 2:
        return []
    if len(lines) <= _GRID_LINES and all(line.amount.strip() for line in lines):
        cells = [cell for line in lines for cell in _cells(line)]
        if _characters(cells) <= room:
            return [{"type": "divider"}, {"type": "section", "fields": cells}]
    sections: list[Json] = []
    words, used = "", 0
    for place, line in enumerate(lines):
        row = _row(line)
        full = len(words) + len(row) + 1 > limits.SECTION_TEXT
        ends = used + len(row) + 60 > room or (full and len(sections) + 3 > spare)
        if ends:
            row = MORE_LINES.fill(n=len(lines) - place).to(language)
        if full and not ends:
            sections.append(section(words))
            words = ""
        words = f"{words}\n{row}" if words else row
        used += len(row) + 1
        if ends:
            break
    return [{"type": "divider"}, *sections, section(words)]


def _cells(line: Line) -> tuple[Json, Json]:
    name = f"*{cut(line.name.strip(), 120)}*\n{cut(line.detail.strip(), 120)}"
    return marked(name), marked(cut(line.amount.strip(), 60))


def _row(line: Line) -> str:
    parts = [cut(line.name.strip(), 120), cut(line.detail.strip(), 120)]
    row = f"• {_GAP.join(part for part in parts if part)}"
    amount = cut(line.amount.strip(), 60)
    return f"{row}{_GAP}*{amount}*" if amount else row


def _picture(message: Message, file_id: str | None) -> list[Json]:
    if message.picture is None or file_id is None:
        return []
    alt = cut(message.picture.alt.strip() or "…", 200)
    return [{"type": "image", "slack_file": {"id": file_id}, "alt_text": alt}]


def _note(note: str) -> list[Json]:
    words = cut(note.strip(), limits.CONTEXT_TEXT)
    return [{"type": "context", "elements": [marked(words)]}] if words else []


# What can be pressed and chosen


def _controls(message: Message) -> list[Json]:
    """Buttons and the select; every element of a message has an action id of its own."""
    loud = [button for button in message.buttons if button.style != "quiet"]
    times = Counter(button.action for button in loud)
    if message.select is not None:
        times[message.select.action] += 1
    buttons = [
        button(each, f"{each.action}:{n}" if times[each.action] > 1 else each.action)
        for n, each in enumerate(loud[: limits.ACTIONS - 1])
    ]
    buttons += _more(message)
    found: list[Json] = [{"type": "actions", "elements": buttons}] if buttons else []
    if message.select is None or not message.select.options:
        return found
    choices = options((choice.value, choice.label) for choice in _unique(message.select.options))
    if not choices:
        return found
    name = message.select.action
    menu = {
        "type": "static_select",
        "action_id": name if times[name] == 1 else f"{name}:select",
        "placeholder": plain(message.select.label, limits.PLACEHOLDER),
        "options": choices,
    }
    found.append({"type": "actions", "elements": [menu]})
    more = len(message.select.options) - limits.OPTIONS
    if more > 0:
        found += _note(MORE_CHOICES.fill(n=more).to(message.language))
    return found


def _more(message: Message) -> list[Json]:
    """What is wanted rarely, behind the three points: its option says what is pressed for what."""
    quiet = [button for button in message.buttons if button.style == "quiet"][: limits.OVERFLOW]
    if not quiet:
        return []
    choices = options((f"{button.action}:{button.value}", button.label) for button in quiet)
    return [{"type": "overflow", "action_id": MORE, "options": choices}] if choices else []


def button(button: Button, action_id: str) -> Json:
    """A button as an element."""
    shown: Json = {
        "type": "button",
        "action_id": action_id,
        "text": plain(button.label, limits.BUTTON_TEXT),
        **({"value": button.value} if button.value else {}),
    }
    return shown if button.style == "default" else shown | {"style": button.style}


def options(choices: Iterable[tuple[str, str]]) -> list[Json]:
    """Value and label as the options of a menu; a value Slack can't carry is left out."""
    fitting = [choice for choice in choices if 0 < len(choice[0]) <= limits.OPTION_VALUE]
    return [option(value, label) for value, label in fitting[: limits.OPTIONS]]


def option(value: str, label: str) -> Json:
    """One option of a menu."""
    return {"text": plain(label, limits.OPTION_TEXT), "value": value}


def _unique(choices: Sequence[Option]) -> list[Option]:
    return list({choice.value: choice for choice in choices}.values())


def _rows(cells: Sequence[Json], width: int) -> list[list[Json]]:
    return [list(cells[start : start + width]) for start in range(0, len(cells), width)]


def _characters(part: Any) -> int:
    """All texts in blocks together, as Slack counts them."""
    if isinstance(part, list | tuple):
        return sum(_characters(each) for each in part)
    if not isinstance(part, dict):
        return 0
    own = len(part["text"]) if isinstance(part.get("text"), str) else 0
    return own + sum(_characters(each) for each in part.values())
