"""What of a message a group may see that is not allowed to see amounts: a list of what is shown,
not of what is hidden, so that whatever a message has one day is hidden until it is put here."""

import re

from bot.line import words
from bot.line.quick_replies import is_plain
from core.messages import Message

# What a title says of a task is its number and its name; one that says an amount is not shown.
_REFERENCE = re.compile(r"#\d{1,18}")
_AMOUNT = re.compile(
    r"[¥￥$€円元万億]|yen|jpy|\d[\d,.，]{3,}|[〇一二三四五六七八九十百千壱弐参拾]{2,}",
    re.IGNORECASE,
)
_NO_AMOUNT = re.compile(r"#\d+|[A-Za-z]{1,4}-\d{4}-\d{4,}(?:-\d+)?")


def without_amounts(message: Message) -> Message:
    """Title, progress, and where the rest can be seen; a mere text without any amount as it is.
    Applied again, it changes nothing."""
    if _is_harmless(message):
        return message
    title = message.title
    if not title or _tells(title):
        # Further below a text may have numbers that only are examples.
        first = message.text.strip().partition("\n")[0]
        named = _REFERENCE.search(f"{message.title} {first}")
        title = named.group() if named else ""
    elsewhere = words.ELSEWHERE.to(message.language)
    return Message(
        text=f"{title}\n{elsewhere}" if title else elsewhere,
        title=title,
        body=elsewhere,
        progress=message.progress,
        language=message.language,
    )


def _is_harmless(message: Message) -> bool:
    """Whether it is a text and nothing else, which tells of no amount: that something was decided,
    or asks what to do. Nothing of a task's content is in it but what people typed."""
    texts = (message.text, message.body, message.note, *(each.label for each in message.buttons))
    return is_plain(message) and not message.title and not any(_tells(each) for each in texts)


def _tells(text: str) -> bool:
    return _AMOUNT.search(_NO_AMOUNT.sub("", text)) is not None
