"""Draws blocks as a web page that looks about like Slack: for previews, and to look at in tests."""

import base64
import html
import re
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]

_STYLE = """
body{margin:0;padding:16px;width:720px;background:#fff;color:#1d1c1d;font:15px/1.47
 "Noto Sans CJK JP","Noto Sans JP","Hiragino Sans",Lato,sans-serif}
.message{display:flex;gap:8px}.face{width:36px;height:36px;border-radius:6px;background:#4a154b;
 color:#fff;text-align:center;line-height:36px;flex:none}.who{font-weight:700}
.app{background:#ddd;border-radius:2px;font-size:10px;padding:0 3px;margin:0 6px}
.at{color:#616061;font-size:12px}.body{flex:1;min-width:0}.block{margin:6px 0}
h3{font-size:18px;margin:8px 0}hr{border:0;border-top:1px solid #ddd;margin:10px 0}
.section{display:flex;gap:16px}.section>.words{flex:1;min-width:0}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px 16px}
.context{color:#616061;font-size:12px;display:flex;gap:8px;flex-wrap:wrap;align-items:center}
.context img{height:20px}.actions{display:flex;gap:8px;flex-wrap:wrap}
.button,.menu{border:1px solid #bbb;border-radius:4px;padding:3px 12px;font-weight:700;
 font-size:14px;background:#fff}.primary{background:#007a5a;color:#fff;border-color:#007a5a}
.danger{background:#e01e5a;color:#fff;border-color:#e01e5a}.menu{font-weight:400;color:#616061}
.image img{max-width:360px;max-height:480px;border:1px solid #ddd;border-radius:8px}
.input{border:1px solid #868686;border-radius:4px;padding:6px 10px;color:#616061}
code{background:#f8f8f8;border:1px solid #ddd;border-radius:3px;color:#e01e5a;padding:1px 3px}
pre{background:#f8f8f8;border:1px solid #ddd;padding:8px;white-space:pre-wrap}
blockquote{border-left:4px solid #ddd;margin:0;padding-left:12px}
"""

# What the sender marked up comes in < >; what a person typed comes as &lt; &gt;.
_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]+))?>")

_MARKS = (
    (r"```(.+?)```", r"<pre>\1</pre>"),
    (r"`([^`\n]+)`", r"<code>\1</code>"),
    (r"(?<![\w*])\*([^*\n]+)\*(?!\w)", r"<b>\1</b>"),
    (r"(?<!\w)_([^_\n]+)_(?!\w)", r"<i>\1</i>"),
    (r"(?<!\w)~([^~\n]+)~(?!\w)", r"<s>\1</s>"),
    (r"(?m)^(?:&gt;|>) ?(.*)$\n?", r"<blockquote>\1</blockquote>"),
)


def page(blocks: list[Json], images: Mapping[str, bytes] | None = None, who: str = "Miyabi") -> str:
    """A web page with one message. `images` by slack_file id or image_url."""
    drawn = "".join(_block(block, images or {}) for block in blocks)
    return (
        f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><div class=message>"
        f"<div class=face>雅</div><div class=body><span class=who>{html.escape(who)}</span>"
        f"<span class=app>APP</span><span class=at>10:24</span>{drawn}</div></div>"
    )


def _block(block: Json, images: Mapping[str, bytes]) -> str:
    draw = _DRAWN.get(block["type"])
    return (
        f"<div class=block>{html.escape(_rich(block))}</div>"
        if draw is None
        else draw(block, images)
    )


def _context(block: Json, images: Mapping[str, bytes]) -> str:
    parts = "".join(
        _image(each, images) if each["type"] == "image" else f"<span>{_text(each)}</span>"
        for each in block["elements"]
    )
    return f"<div class='block context'>{parts}</div>"


def _actions(block: Json, images: Mapping[str, bytes]) -> str:
    return f"<div class='block actions'>{''.join(map(_element, block['elements']))}</div>"


def _picture(block: Json, images: Mapping[str, bytes]) -> str:
    title = f"<div>{_text(block['title'])}</div>" if "title" in block else ""
    return f"<div class='block image'>{title}{_image(block, images)}</div>"


def _input(block: Json, images: Mapping[str, bytes]) -> str:
    return f"<div class=block><b>{_text(block['label'])}</b>{_element(block['element'])}</div>"


def _section(block: Json, images: Mapping[str, bytes]) -> str:
    words = _text(block["text"]) if "text" in block else ""
    fields = "".join(f"<div>{_text(field)}</div>" for field in block.get("fields", ()))
    side = block.get("accessory")
    drawn = "" if side is None else _image(side, images) if "alt_text" in side else _element(side)
    words = f"<div>{words}</div><div class=fields>{fields}</div>"
    return f"<div class='block section'><div class=words>{words}</div><div>{drawn}</div></div>"


def _element(element: Json) -> str:
    if element["type"] == "button":
        look = element.get("style", "")
        return f"<span class='button {look}'>{_text(element['text'])}</span>"
    if element["type"] == "overflow":
        return "<span class=button>⋯</span>"
    hint = element.get("placeholder", {}).get("text", "")
    shown = element.get("initial_option", {}).get("text", {}).get("text")
    shown = shown or str(element.get("initial_value") or element.get("initial_date") or hint)
    look = "menu" if element["type"].endswith("_select") else "input"
    return f"<div class={look}>{html.escape(shown)}{' ▾' if look == 'menu' else '&nbsp;'}</div>"


def _image(image: Json, images: Mapping[str, bytes]) -> str:
    name = image.get("slack_file", {}).get("id") or image.get("image_url", "")
    alt = html.escape(image["alt_text"], quote=True)
    if name not in images:
        return f"<span>🖼 {alt}</span>"
    data = base64.b64encode(images[name]).decode()
    return f"<img alt='{alt}' src='data:image/png;base64,{data}'>"


def _text(text: Json) -> str:
    """A text object as HTML; mrkdwn with its marks."""
    if text["type"] == "plain_text":
        return html.escape(text["text"]).replace("\n", "<br>")
    drawn = _LINK.sub(lambda link: f"<a href='#'>{link[2] or link[1]}</a>", text["text"])
    for pattern, replacement in _MARKS:
        drawn = re.sub(pattern, replacement, drawn)
    return drawn.replace("\n", "<br>")


def _rich(part: Any) -> str:
    if isinstance(part, list):
        return "".join(_rich(each) for each in part)
    if isinstance(part, dict):
        own = part.get("text")
        return own if isinstance(own, str) else _rich(part.get("elements", []))
    return ""


_DRAWN: dict[str, Callable[[Json, Mapping[str, bytes]], str]] = {
    "divider": lambda block, images: "<hr>",
    "header": lambda block, images: f"<h3>{_text(block['text'])}</h3>",
    "section": _section,
    "context": _context,
    "actions": _actions,
    "image": _picture,
    "input": _input,
}
