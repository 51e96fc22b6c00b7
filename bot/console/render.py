"""A neutral Message as the terminal shows it. Pure: no input, no output.

Texts are shown as they are, never read as markup, and control characters are taken out: what a
person typed must not be able to move the cursor of whoever reads it.
"""

import unicodedata
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from core.messages import Button, Field, Line, Message, Progress, StepState

MARKS: dict[StepState, tuple[str, str]] = {
    "done": ("●", "green"),
    "running": ("◐", "yellow"),
    "waiting": ("◐", "cyan"),
    "todo": ("○", "dim"),
    "failed": ("✕", "red"),
    "stopped": ("■", "dim"),
}
_STYLES = {"default": "bold", "primary": "bold green", "danger": "bold red", "quiet": "dim"}


def render(message: Message) -> RenderableType:
    """The whole message, part under part. A message without parts is its text."""
    parts: list[RenderableType] = []
    if message.title:
        parts.append(Text(clean(message.title), style="bold"))
    if message.progress:
        parts.append(progress_line(message.progress))
    if message.body:
        parts.append(Text(clean(message.body)))
    if message.fields:
        parts.append(_fields(message.fields))
    if message.lines or message.totals:
        parts.append(_table(message.lines, message.totals))
    parts.extend(_section(section) for section in message.sections)
    if message.picture is not None:
        parts.append(Text(f"[{clean(message.picture.alt)}]", style="dim"))
    parts.extend(_choices(message))
    parts.extend(Text(f"⎙ {clean(file.name)}", style="bold") for file in message.files)
    if message.note:
        parts.append(Text(clean(message.note), style="dim"))
    return Group(*parts) if parts else Text(clean(message.text))


def progress_line(steps: Sequence[Progress]) -> Text:
    """A flash update in a line: each step's mark, name and time."""
    line = Text()
    for step in steps:
        mark, style = MARKS[step.state]
        line.append(f"{mark} ", style=style)
        line.append(clean(step.label), style="" if step.state != "todo" else "dim")
        if step.at:
            line.append(f" {clean(step.at)}", style="dim")
        line.append("  ")
    line.rstrip()
    return line


def clean(text: str) -> str:
    """The text without anything that steers a terminal or turns the direction of writing."""
    return "".join(
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf"}
    )


def choices(message: Message) -> list[tuple[str, str]]:
    """What a question offers, in order: the id each choice carries and its label."""
    if message.select is not None:
        return [(option.value, option.label) for option in message.select.options]
    return [(button.value, button.label) for button in message.buttons if button.action == "answer"]


def _choices(message: Message) -> list[RenderableType]:
    shown: list[RenderableType] = [
        Padding(Text(f"{number}. {clean(label)}"), (0, 0, 0, 2), expand=False)
        for number, (_, label) in enumerate(choices(message), 1)
    ]
    rest = [button for button in message.buttons if button.action != "answer"]
    if rest:
        shown.append(Text("  ").join(_button(button) for button in rest))
    return shown


def _button(button: Button) -> Text:
    return Text(f"[{clean(button.label)}]", style=_STYLES[button.style])


def _fields(fields: Sequence[Field]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for field in fields:
        grid.add_row(Text(clean(field.label), style="dim"), Text(clean(field.value)))
    return grid


def _section(section: Field) -> RenderableType:
    """A paragraph with its heading."""
    lines = "\n".join(f"  {clean(line)}" for line in section.value.split("\n"))
    return Group(Text(clean(section.label), style="dim"), Text(lines))


def _table(lines: Sequence[Line], totals: Sequence[Field]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(justify="right")
    grid.add_column(justify="right")
    for line in lines:
        grid.add_row(Text(clean(line.name)), Text(clean(line.detail)), Text(clean(line.amount)))
    for place, total in enumerate(totals, 1):
        style = "bold" if place == len(totals) else ""
        grid.add_row("", Text(clean(total.label), style), Text(clean(total.value), style))
    return grid
