"""A message as the terminal would show it."""

import io

from rich.console import Console

from bot.console.render import render
from core.messages import Message
from core.platform import Preview


def preview(message: Message) -> Preview:
    """Its lines, without colours; with them as the page."""
    into = io.StringIO()
    terminal = Console(file=into, record=True, width=80, highlight=False, markup=False)
    terminal.print(render(message))
    return Preview(into.getvalue().rstrip(), terminal.export_html())
