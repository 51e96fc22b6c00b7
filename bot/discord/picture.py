"""About what Discord shows of a message, as a page: for previews. Only what we send is known."""

import html
import re
from collections.abc import Callable, Mapping, Sequence

from bot.discord.render import Json, Shown

_STYLES = {1: "#5865f2", 2: "#4e5058", 3: "#248046", 4: "#da373c"}
_CSS = """
body { background: #313338; color: #dbdee1; font: 16px/1.4 "Noto Sans CJK JP", sans-serif;
  margin: 0; padding: 16px; width: 560px; }
.bot { color: #fff; font-weight: 600; margin-bottom: 6px; }
.bot span { background: #5865f2; border-radius: 3px; font-size: 10px; padding: 1px 4px; }
.card { background: #2b2d31; border: 1px solid #3f4147; border-radius: 8px; padding: 14px; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; margin-bottom: 8px; }
h3 { color: #fff; display: inline; font-size: 18px; }
small { color: #b5bac1; font-size: 12px; }
.row { margin-top: 8px; }
button { border: 0; border-radius: 4px; color: #fff; font: inherit; margin: 0 8px 8px 0;
  padding: 6px 14px; }
.menu { background: #1e1f22; border-radius: 4px; color: #b5bac1; padding: 8px 12px; }
.media { background: #1e1f22; border-radius: 6px; color: #b5bac1; padding: 28px 12px;
  text-align: center; margin-bottom: 8px; }
"""
_ESCAPED = re.compile(r"\\(.)")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)


def page(shown: Shown) -> str:
    """The page of a message."""
    parts = [_part(each) for each in shown.components]
    parts += [f'<div class="text">{_marked(each)}</div>' for each in shown.more]
    return (
        f'<!doctype html><meta charset="utf-8"><style>{_CSS}</style>'
        f'<div class="bot">Miyabi <span>APP</span></div>{"".join(parts)}'
    )


def _part(part: Json) -> str:
    draw = _DRAWN.get(part["type"])
    return draw(part) if draw is not None else ""


def _container(part: Json) -> str:
    colour = part.get("accent_color")
    bar = f' style="border-left: 4px solid #{colour:06x}"' if colour is not None else ""
    return f'<div class="card"{bar}>{_every(part["components"])}</div>'


def _media(part: Json) -> str:
    alts = [html.escape(each.get("description", "")) for each in part["items"]]
    return "".join(f'<div class="media">{alt}</div>' for alt in alts)


def _button(part: Json) -> str:
    style = f"background: {_STYLES[part['style']]}"
    return f'<button style="{style}">{html.escape(part["label"])}</button>'


def _every(parts: Sequence[Json]) -> str:
    return "".join(_part(each) for each in parts)


def _marked(words: str) -> str:
    """The few marks that we make ourselves; what is escaped is shown as it was typed."""
    kept: list[str] = []

    def keep(mark: re.Match[str]) -> str:
        kept.append(html.escape(mark[1]))
        return f"\0{len(kept) - 1}\0"

    said = html.escape(_ESCAPED.sub(keep, words), quote=False)
    said = _BOLD.sub(r"<b>\1</b>", said)
    said = re.sub(r"(?m)^### (.*)$", r"<h3>\1</h3>", said)
    said = re.sub(r"(?m)^-# (.*)$", r"<small>\1</small>", said)
    return re.sub("\0(\\d+)\0", lambda mark: kept[int(mark[1])], said)


_DRAWN: Mapping[int, Callable[[Json], str]] = {
    1: lambda part: f'<div class="row">{_every(part["components"])}</div>',
    2: _button,
    3: lambda part: f'<div class="menu">{html.escape(part["placeholder"])} ▾</div>',
    10: lambda part: f'<div class="text">{_marked(part["content"])}</div>',
    12: _media,
    13: lambda part: f'<div class="media">{html.escape(part["file"]["url"])}</div>',
    17: _container,
}
"""By the kind of component (docs.discord.com, components reference)."""
