"""Draws what a chat shows as a web page that looks about like LINE's: for previews, and in tests.

Sizes are those of LINE's Flex Message Simulator. Like LINE, dark mode darkens the chat, plain texts
and quick replies, and leaves a card's colours as they are given.
"""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noto_cjk_sans_jp_bold import FONT_PATH as BOLD
from noto_cjk_sans_jp_regular import FONT_PATH as REGULAR

Json = dict[str, Any]

_FONT = {"xxs": 11, "xs": 13, "sm": 14, "md": 16, "lg": 19, "xl": 22, "xxl": 29}
_FONT |= {"3xl": 35, "4xl": 48, "5xl": 74}
_GAP = {"none": 0, "xs": 2, "sm": 4, "md": 8, "lg": 12, "xl": 16, "xxl": 20}
_WIDTH = {"nano": 120, "micro": 160, "deca": 220, "hecto": 241, "kilo": 260, "mega": 300}
_WIDTH |= {"giga": 386}
_ALIGN = {"start": "left", "end": "right", "center": "center"}

# The font that the documents are set in: the machine need not have a Japanese one.
_FACES = "".join(
    f"@font-face{{font-family:Noto;font-weight:{weight};src:url('{Path(str(path)).as_uri()}')}}"
    for weight, path in ((400, REGULAR), (700, BOLD))
)
_STYLE = (
    f"""{_FACES}
"""
    + """
*{box-sizing:border-box}body{margin:0;padding:12px 8px;background:#8cabd8;color:#111;
 font:14px/1.4 Noto,sans-serif}
.row{display:flex;gap:6px;margin:8px 0;align-items:flex-start}.row.mine{justify-content:flex-end}
.face{width:30px;height:30px;border-radius:15px;background:#1e3a5f;color:#fff;text-align:center;
 line-height:30px;flex:none}.how{font-size:10px;opacity:.7;align-self:flex-end}
.said{background:#fff;border-radius:16px;padding:8px 12px;white-space:pre-wrap;max-width:240px;
 overflow-wrap:anywhere}.mine .said{background:#95e77e}
.bubble{background:#fff;border-radius:17px;overflow:hidden}.many{display:flex;gap:8px}
.box{display:flex;min-width:0}.vertical{flex-direction:column}.baseline{align-items:baseline}
.text{min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.wrap{white-space:pre-wrap;overflow-wrap:anywhere}
.button{display:flex;align-items:center;justify-content:center;border-radius:8px;font-weight:600;
 font-size:16px;padding:0 8px;white-space:nowrap;overflow:hidden;min-width:0}
.image{background:#ccd;display:flex;align-items:center;justify-content:center;color:#555}
.quick{display:flex;flex-wrap:wrap;gap:6px;justify-content:center;margin-top:12px}
.quick span{background:#fff;border-radius:16px;padding:5px 12px;font-size:13px;color:#1a3d7c}
body.dark{background:#17181b;color:#eee}.dark .said{background:#333539;color:#fff}
.dark .mine .said{background:#4cc764;color:#111}.dark .quick span{background:#2b2d31;color:#9ec1ff}
"""
)

# As LINE does with `shrink-to-fit`: smaller until it has room. The title is the page's height.
_SHRINK = """<script>document.fonts.ready.then(() => {
document.querySelectorAll('.shrink').forEach(e => {let s = parseFloat(getComputedStyle(e).fontSize);
while (e.scrollWidth > e.clientWidth && s > 6) {s -= .5; e.style.fontSize = s + 'px'}});
})</script>"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message of LINE's API in a chat. `how` it was sent; `mine`: by whoever holds the phone."""

    body: Json
    how: str = ""
    mine: bool = False


def page(chat: Iterable[Drawn], width: int = 375, *, dark: bool = False) -> str:
    """A chat on a phone of that width in CSS pixels; the latest message's quick replies below."""
    messages = list(chat)
    drawn = "".join(_row(each, width) for each in messages)
    quick = messages[-1].body.get("quickReply", {}).get("items", ()) if messages else ()
    below = "".join(f"<span>{html.escape(each['action']['label'])}</span>" for each in quick)
    return (
        f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style>"
        f"<body class='{'dark' if dark else ''}' style='width:{width}px'>{drawn}"
        f"<div class=quick>{below}</div>{_SHRINK}"
    )


def _row(said: Drawn, width: int) -> str:
    plain = f"<div class=said>{html.escape(said.body.get('text', ''))}</div>"
    if said.mine:
        return f"<div class='row mine'>{plain}</div>"
    contents = said.body.get("contents")
    drawn = plain if contents is None else _container(contents, width - 52)
    how = html.escape(said.how)
    return f"<div class=row><div class=face>雅</div>{drawn}<div class=how>{how}</div></div>"


def _container(container: Json, room: int) -> str:
    if container["type"] == "carousel":
        bubbles = "".join(_bubble(each, room) for each in container["contents"])
        return f"<div class=many>{bubbles}</div>"
    return _bubble(container, room)


def _bubble(bubble: Json, room: int) -> str:
    width = min(_WIDTH[bubble.get("size", "mega")], room)
    drawn = ""
    for name in ("header", "hero", "body", "footer"):
        if name not in bubble:
            continue
        style = bubble.get("styles", {}).get(name, {})
        back = style.get("backgroundColor", "")
        padding = {"header": 20, "hero": 0, "body": 20, "footer": 10}[name]
        inner = _component(bubble[name], "vertical", 0, padding)
        drawn += f"<div style='background:{back}'>{inner}</div>"
    return f"<div class=bubble style='width:{width}px;flex:none'>{drawn}</div>"


def _component(part: Json, within: str, gap: float, padding: int = 0) -> str:
    """A component in a box of this layout; `gap` is the space before it."""
    style = _place(part, within, gap)
    kind = part["type"]
    if kind == "box":
        style += _box_style(part, padding)
        spacing = _length(part.get("spacing", "none"))
        inner = "".join(
            _component(each, part["layout"], spacing if number else 0)
            for number, each in enumerate(part["contents"])
        )
        return f"<div class='box {part['layout']}' style='{style}'>{inner}</div>"
    if kind == "text":
        return _text(part, style)
    if kind == "button":
        return _button(part, style)
    if kind == "image":
        across, down = part.get("aspectRatio", "1:1").split(":")
        return f"<div class=image style='{style}aspect-ratio:{across}/{down}'>画像</div>"
    if kind == "separator":
        line = part.get("color", "#d4d6da")
        side = "width:1px" if within == "horizontal" else "height:1px"
        return f"<div style='{style}flex:none;{side};background:{line}'></div>"
    return f"<div style='{style}'></div>"


def _place(part: Json, within: str, gap: float) -> str:
    across = within in ("horizontal", "baseline")
    flex = part.get("flex", 1 if across and part["type"] != "icon" else 0)
    before = _length(part["margin"]) if "margin" in part else gap
    grow = f"flex:{flex} {flex} 0;" if flex and across else f"flex:{flex} 0 auto;"
    return f"{grow}margin-{'left' if across else 'top'}:{before}px;"


def _box_style(part: Json, padding: int) -> str:
    every = _length(part.get("paddingAll", f"{padding}px"))
    style = f"padding:{every}px;"
    for name, side in (("Top", "top"), ("Bottom", "bottom"), ("Start", "left"), ("End", "right")):
        if f"padding{name}" in part:
            style += f"padding-{side}:{_length(part[f'padding{name}'])}px;"
    css = {"backgroundColor": "background", "width": "width", "height": "height"}
    css |= {"justifyContent": "justify-content", "alignItems": "align-items"}
    for name, written in css.items():
        if name in part:
            style += f"{written}:{part[name]};"
    if "borderWidth" in part:
        style += f"border:{_length(part['borderWidth'])}px solid {part.get('borderColor')};"
    return style + f"border-radius:{_length(part.get('cornerRadius', 'none'))}px;"


def _text(part: Json, style: str) -> str:
    spans = part.get("contents") or [{"text": part["text"]}]
    inner = "".join(
        f"<span style='{_letters(span)}'>{html.escape(span['text'])}</span>" for span in spans
    )
    look = " wrap" if part.get("wrap") else ""
    look += " shrink" if part.get("adjustMode") == "shrink-to-fit" else ""
    own = _letters({"size": "md", "color": "#111111", **part})
    align = _ALIGN[part.get("align", "start")]
    return f"<div class='text{look}' style='{style}{own}text-align:{align}'>{inner}</div>"


def _letters(part: Json) -> str:
    style = ""
    if "size" in part:
        style += f"font-size:{_FONT.get(part['size']) or _length(part['size'])}px;"
    if "color" in part:
        style += f"color:{part['color']};"
    if part.get("weight") == "bold":
        style += "font-weight:700;"
    if part.get("decoration") == "line-through":
        style += "text-decoration:line-through;"
    return style


def _button(part: Json, style: str) -> str:
    kind = part.get("style", "link")
    height = 40 if part.get("height") == "sm" else 52
    color = part.get("color")
    looks = {
        "primary": f"background:{color or '#17c950'};color:#ffffff;",
        "secondary": f"background:{color or '#dcdfe5'};color:#111111;",
        "link": f"color:{color or '#42659a'};",
    }
    look = " shrink" if part.get("adjustMode") == "shrink-to-fit" else ""
    label = html.escape(part["action"].get("label", ""))
    inner = f"style='{style}{looks[kind]}height:{height}px'"
    return f"<div class='button{look}' {inner}>{label}</div>"


def _length(value: Any) -> float:
    """A keyword or pixels as pixels; shares of the width are left out."""
    if value in _GAP:
        return _GAP[value]
    named = {"light": 0.5, "normal": 1, "medium": 2, "semi-bold": 3, "bold": 4}
    text = str(value)
    return named[text] if text in named else float(text.removesuffix("px"))
