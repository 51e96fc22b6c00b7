"""What a person typed, as Slack hands it on, back into the plain words it was."""

import re

_MARK = re.compile(r"<([^<>\n]+)>")


def words(text: str, bot: str | None = None) -> str:
    """Plain words: without the mention of the bot itself, names for ids, links as they were typed.

    Slack escapes `& < >` in what people type and puts its own marks in `< >`
    (docs.slack.dev, formatting message text).
    """
    plain = _MARK.sub(lambda mark: _word(mark[1], bot), text)
    plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return plain.strip()


def mentions(text: str, user: str | None) -> bool:
    """Whether the text calls this user."""
    return bool(user) and (f"<@{user}>" in text or f"<@{user}|" in text)


def _word(mark: str, bot: str | None) -> str:
    target, _, label = mark.partition("|")
    kind = target[0]
    if kind == "@":
        return "" if target[1:] == bot else f"@{label or target[1:]}"
    if kind == "#":
        return f"#{label or target[1:]}"
    if kind == "!":
        return label if label else f"@{target[1:].split('^')[0]}"
    return label or target.removeprefix("mailto:").removeprefix("tel:")
