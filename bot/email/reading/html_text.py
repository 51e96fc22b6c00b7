"""The text of a mail that was written in HTML (selectolax), line by line as it is seen."""

import re
from collections.abc import Mapping
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.email.reading import forwards
from bot.email.reading.html_lines import Row, Writer, as_row
from bot.email.reading.quotes import LOOKED_AT, attribution

_DEEPEST = 256
"""Open elements within each other. The parser's time grows with their square; what nests deeper
than mails do is read without it."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOOSE = _names(
    "p li td th tr tbody thead tfoot dd dt option br hr img input meta link col wbr area base "
    "embed source param html body head o:p"
)
"""Elements that need no end, or hold nothing: they are not counted."""

_BLOCKS = _names(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary "
    "table tbody td tfoot th thead tr ul caption"
)
_SPACED = _names("h1 h2 h3 h4 h5 h6 p")
_DROPPED = _names(
    "head iframe meta noscript object option script select style svg template textarea title"
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.I)
_BORDERED = re.compile(r"border-left(?:-style|-width)?\s*:(?!\s*(?:none|0))", re.I)
_QUOTING = re.compile(r"(?:^|\s|_|-)(?:quote|cite|yahoo_quoted|iosymail)(?:$|\s|_|-)", re.I)
_ATTRIBUTIONS = re.compile(r"(?:^|\s)(?:gmail_attr|moz-cite-prefix)(?:$|\s)", re.I)
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")


def to_text(html: str, *, marked: bool = False) -> str:
    """The text that is seen. `marked`: lines that programs quoted begin with "> ", as in text."""
    if _too_deep(html):
        return _crude(html)
    parser = LexborHTMLParser(html)
    root = parser.body or parser.root
    if root is None:
        return ""
    writer = Writer()
    _walk(root, writer, marked)
    return writer.text()


def _too_deep(html: str) -> bool:
    depth = 0
    for found in _TAG.finditer(html):
        if found[2].lower() in _LOOSE:
            continue
        depth += -1 if found[1] else 1
        if depth > _DEEPEST:
            return True
        depth = max(depth, 0)
    return False


def _crude(html: str) -> str:
    """The text between tags, for what no mail program writes."""
    text = re.sub(r"<(?:br|p|div|tr|li)\b[^<>]{0,2000}>", "\n", html, flags=re.I)
    text = unescape(re.sub(r"<[^<>]{0,2000}>", "", text))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _walk(root: LexborNode, writer: Writer, marked: bool) -> None:
    """Go through the tree without recursion: it is as deep as the sender likes."""
    rows: list[Row] = []
    top = root.mem_id  # two nodes compared with == are compared by all of their HTML
    node: LexborNode | None = root
    while node is not None:
        deeper = _enter(node, writer, rows, marked)
        child = node.child if deeper else None
        if child is not None:
            node = child
            continue
        if deeper:
            _leave(node, writer, rows, marked)
        while node is not None and node.next is None:
            if node.mem_id == top:
                return
            node = node.parent
            if node is None:
                return
            _leave(node, writer, rows, marked)
            if node.mem_id == top:
                return
        node = None if node is None or node.mem_id == top else node.next


def _enter(node: LexborNode, writer: Writer, rows: list[Row], marked: bool) -> bool:
    tag = node.tag
    if tag == "-text":
        writer.put(node.text_content or "")
        return False
    if tag is None or tag.startswith(("-", "!")) or tag in _DROPPED:
        return False
    attributes = node.attributes
    if _HIDDEN.search(attributes.get("style") or "") or "hidden" in attributes:
        return False
    if tag == "br":
        writer.end(forced=True)
        return False
    if tag in _BLOCKS:
        if tag in _SPACED:
            writer.space()
        writer.end()
    if tag == "pre":
        writer.raw += 1
    elif tag == "li":
        writer.put("- ")
    elif tag == "tr":
        for row in rows[-1:]:
            row.nested = True
        rows.append(Row(len(writer.lines)))
    elif tag in ("td", "th") and rows:
        rows[-1].cells.append(len(writer.lines))
    if marked and _is_quote(node, tag, attributes):
        writer.quoted += 1
    return True


def _leave(node: LexborNode, writer: Writer, rows: list[Row], marked: bool) -> None:
    tag = node.tag or ""
    if tag in _BLOCKS:
        writer.end()
        if tag in _SPACED:
            writer.space()
    if tag == "pre":
        writer.raw -= 1
    elif tag == "tr" and rows:
        row = rows.pop()
        for outer in rows[-1:]:
            outer.nested = True
        as_row(row, writer)
    if marked and _is_quote(node, tag, node.attributes):
        writer.quoted -= 1


def _is_quote(node: LexborNode, tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Whether a mail program put another's text in there."""
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    if tag == "blockquote":
        cited = (attributes.get("type") or "").lower() == "cite" or "cite" in attributes
        bordered = _BORDERED.search(attributes.get("style") or "")
        return bool(cited or bordered or _QUOTING.search(names))
    if tag != "div":
        return False
    if (attributes.get("name") or "").lower() == "quote" or "yahoo_quoted" in names.lower():
        return True
    return bool(_ATTRIBUTIONS.search(names)) and not _announces(node)


def _announces(node: LexborNode) -> bool:
    """Whether the box of an attribution is one that is known by its words, or of a forwarded
    mail: neither needs a mark."""
    text = ""
    for inner in node.traverse(include_text=True):
        text += (inner.text_content or "") if inner.tag == "-text" else ""
        if len(text) > LOOKED_AT:
            break
    lines = [line.strip() for line in text[:LOOKED_AT].split("\n") if line.strip()]
    marker = any(forwards.is_marker(line) for line in lines)
    return marker or bool(lines and attribution([*lines[:3], "> "], 0))
