"""What a message and a form must keep beside what the description says of them."""

from collections import Counter
from collections.abc import Iterator

from tests.fakes.discord import limits
from tests.fakes.discord.limits import Json
from tests.fakes.discord.state import words_of


def wrong_with(body: Json, file_count: int) -> list[str]:
    """All that Discord would refuse in the body of a message."""
    found = _components(body.get("components") or [])
    content, embeds = body.get("content") or "", body.get("embeds") or []
    if (body.get("flags") or 0) & limits.COMPONENTS_V2:
        if content or embeds:
            found.append("content or embeds beside components V2")
        length = sum(len(text) for text in _displays(body.get("components") or []))
        if length > limits.TEXT_DISPLAYS_TOTAL:
            found.append(f"text displays of {length} characters")
    elif any(part["type"] != 1 for part in body.get("components") or []):
        found.append("components V2 without their flag")
    elif len(body.get("components") or []) > limits.ROWS:
        found.append("more than 5 rows")
    if len(content) > limits.CONTENT:
        found.append(f"content of {len(content)} characters")
    length = sum(len(words) for words in words_of(embeds))
    if length > limits.EMBEDS_TOTAL:
        found.append(f"embeds of {length} characters in all")
    named = {int(part["id"]) for part in body.get("attachments") or [] if len(str(part["id"])) < 3}
    if any(number >= file_count for number in named):
        found.append("an attachment without its file")
    return found


def is_empty(body: Json, file_count: int) -> bool:
    """Whether there is nothing in it that could be shown."""
    content = (body.get("content") or "").strip()
    parts = (content, body.get("embeds"), body.get("components"), body.get("attachments"))
    return (
        not any(parts) and not body.get("sticker_ids") and not body.get("poll") and not file_count
    )


def wrong_mentions(body: Json) -> list[str]:
    """Our own rule: a message never says that whatever is in it may call people."""
    if "allowed_mentions" in body:
        parse = (body["allowed_mentions"] or {}).get("parse", [])
        return ["allowed_mentions lets @everyone through"] if "everyone" in parse else []
    marks = ("@everyone", "@here", "<@")
    calls = any(mark in (body.get("content") or "") for mark in marks)
    return ["no allowed_mentions, and there is a mention"] if calls else []


def every(components: list[Json]) -> Iterator[Json]:
    """Each component, also those within others."""
    for part in components:
        yield part
        inner = [part.get("accessory"), part.get("component"), *(part.get("components") or [])]
        yield from every([each for each in inner if each])


def _displays(components: list[Json]) -> Iterator[str]:
    return (part["content"] for part in every(components) if part["type"] == 10)


def _components(components: list[Json]) -> list[str]:
    parts = list(every(components))
    found = [f"{len(parts)} components"] if len(parts) > limits.COMPONENTS else []
    ids = Counter(part["custom_id"] for part in parts if part.get("custom_id"))
    found += [f"custom_id twice: {name}" for name, times in ids.items() if times > 1]
    for part in parts:
        if part["type"] == 1 and len(part["components"]) > 1:
            kinds = {each["type"] for each in part["components"]}
            found += ["a select beside something else in a row"] if kinds != {2} else []
        if part["type"] == 2:
            found += _button(part)
        if part["type"] == 3:
            values = [option["value"] for option in part.get("options", ())]
            found += ["a select's values are not all different"] * (len(values) > len(set(values)))
            found += ["a select without options"] * (not values)
    return found


def _button(part: Json) -> list[str]:
    link = part["style"] == 5
    found = ["a link without address or with custom_id"] * (
        link and (not part.get("url") or bool(part.get("custom_id")))
    )
    found += ["a button without custom_id"] * (
        not link and part["style"] != 6 and not part.get("custom_id")
    )
    return found + ["a button that shows nothing"] * (
        not (part.get("label") or "").strip() and not part.get("emoji") and part["style"] != 6
    )
