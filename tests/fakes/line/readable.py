"""Whether a card can be read: on a small phone, and whatever colours its mode has.

Only what is given is judged: LINE's own default colours change with the phone and its version.
"""

from collections.abc import Iterator

from tests.fakes.line.description import Json, utf16

_CONTRAST = 4.5  # WCAG 2.2, 1.4.3 for texts of usual size
_SHORT = 12  # characters of a text that may stand on one line without a means against its cutting
_LABELS = {"primary": "#ffffff", "secondary": "#111111"}  # LINE's, whatever the mode


def check_readable(container: Json) -> list[str]:
    """What of a Flex container can't be read everywhere."""
    if container["type"] == "carousel":
        return [found for bubble in container["contents"] for found in check_readable(bubble)]
    found = []
    for name in ("header", "hero", "body", "footer"):
        if name in container:
            back = container.get("styles", {}).get(name, {}).get("backgroundColor")
            found += list(_part(container[name], back, name))
    return found


def _part(part: Json, back: str | None, at: str) -> Iterator[str]:
    own = part.get("backgroundColor")
    back = back if own is None or len(own) == 9 else own
    kind = part["type"]
    if kind == "text":
        yield from _text(part, back, at)
    elif kind == "button":
        yield from _button(part, back, at)
    for number, child in enumerate(part.get("contents", ())):
        if child["type"] != "span":
            yield from _part(child, back, f"{at}[{number}]")


def _text(part: Json, back: str | None, at: str) -> Iterator[str]:
    words = part.get("text") or "".join(span["text"] for span in part.get("contents", ()))
    colors = {
        part.get("color"),
        *(s.get("color", part.get("color")) for s in part.get("contents", ())),
    }
    if back is None or None in colors:
        yield f"{at}: {words[:20]!r} has a colour by default: dark mode changes one half of it"
    else:
        for color in colors:
            if contrast(str(color), back) < _CONTRAST:
                yield f"{at}: {words[:20]!r} in {color} on {back}"
    kept = part.get("wrap") or part.get("adjustMode") == "shrink-to-fit"
    if not kept and utf16(words) > _SHORT:
        yield f"{at}: {words[:20]!r} is cut on a small phone"


def _button(part: Json, back: str | None, at: str) -> Iterator[str]:
    label = part["action"].get("label", "")
    style = part.get("style", "link")
    color = part.get("color")
    pair = (color, back) if style == "link" else (_LABELS[style], color)
    if pair[0] is None or pair[1] is None:
        yield f"{at}: the button {label!r} has a colour by default"
    elif contrast(pair[0], pair[1]) < _CONTRAST:
        yield f"{at}: the button {label!r} in {pair[0]} on {pair[1]}"
    if part.get("adjustMode") != "shrink-to-fit" and utf16(label) > _SHORT:
        yield f"{at}: the button {label!r} is cut on a small phone"


def contrast(one: str, other: str) -> float:
    """How far two colours are apart, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
