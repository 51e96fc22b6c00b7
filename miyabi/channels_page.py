"""The page of what each channel can and can't: `python -m miyabi.channels_page` writes it."""

from collections.abc import Iterable
from pathlib import Path

from core.channel import Channel
from core.limits import MB, Limits
from core.platform import Platform
from miyabi.plugins import all_channels, all_platforms

PAGE = Path(__file__).resolve().parent.parent / "docs" / "channels.md"

_HEAD = """\
# What each channel can and can't

<!-- Made by `python -m miyabi.channels_page` of what the platforms declare; a test compares. -->

A platform declares its limits in `bot/<name>/__init__.py` (`core/limits.py` says what \
each means), a channel that only sends in `notifier/channels/<name>.py`. One suite holds all \
platforms to the same promises (`tests/contracts/test_surfaces.py`): a quote asked and approved by \
somebody else, questions, files, sending back, repeats, outages and hostile text. What a platform \
can't do, the frame does another way, which the second table says.

## Where people chat

"""
_INSTEAD = """
## What is done instead

| where there are no | then |
|---|---|
| threads | all tasks share the chat; which one is meant is told by the quoted message, the open \
question, the reference (`#1042`), or the newest task |
| edits | news is said as a message of its own, only what is worth one; a button that can't be \
pressed any more is answered with how it stands |
| buttons | labels and codes that are typed, and a link to a page |
| forms | the next message is taken for it, or fields are asked one by one |
| answers for one person's eyes | the person is told in their own conversation with Miyabi |
| files from us | a link that ends, for one document |
| ways to look for a lost message | its own key, where the platform keeps one; otherwise a person \
is asked, and never is it sent twice in silence |

## Where we only send

"""


def page() -> str:
    """The page in Markdown."""
    chats = [p for p in all_platforms().values() if p.limits is not None]
    parts = [_HEAD, *_table(["", *(p.name for p in chats)], _rows(chats)), _INSTEAD]
    only = list(all_channels().values())
    return "".join([*parts, *_table(["", *(c.name for c in only)], _channel_rows(only))])


def _rows(platforms: list[Platform]) -> Iterable[list[str]]:
    shown = [_shown(p, p.limits) for p in platforms if p.limits is not None]
    for name in shown[0]:
        yield [name, *(each[name] for each in shown)]


def _shown(platform: Platform, limits: Limits) -> dict[str, str]:
    """A platform's limits in words, by what they are limits of."""
    return {
        "a thread per task": _yes(limits.threads),
        "messages are edited": _yes(limits.edits),
        "buttons of one message": str(limits.buttons) if limits.buttons else "no",
        "forms": _yes(limits.forms),
        "answers for one person's eyes": _yes(limits.private),
        "characters of one message": "any" if limits.text is None else f"{limits.text:,}",
        "a longer text is": limits.longer,
        "files we send": _bytes(limits.sends_files, "as a link"),
        "files people send": _bytes(limits.takes_files, "no"),
        "we must answer within": _seconds(limits.answers_within),
        "messages a minute and conversation": str(limits.a_minute or "any"),
        "calls cost": _yes(limits.costs),
        "a send whose answer is lost is": _LOST[limits.lost],
        "told to us afterwards": ", ".join(sorted(limits.tells)) or "nothing",
        "secrets may be told there": _yes(platform.confides),
        "said in": f"`{limits.source}`",
    }


_LOST = {
    "key": "sent again under its key",
    "looked for": "looked for, then sent again",
    "written": "in our own database alone",
    "unknown": "not sent again in silence",
}


def _channel_rows(channels: list[Channel]) -> Iterable[list[str]]:
    rows: dict[str, list[str]] = {
        "what was sent can be edited": [_yes(c.edits) for c in channels],
        "a repeated key is told from a new one": [_yes(c.same_key) for c in channels],
        "calls a second and place": [f"{c.rate:g}" for c in channels],
        "an answer is waited for": [_seconds(c.at_most.total_seconds()) for c in channels],
        "settings": [", ".join(f"`{name}`" for name in c.settings) for c in channels],
    }
    for name, values in rows.items():
        yield [name, *values]


def _yes(so: bool) -> str:
    return "yes" if so else "no"


def _bytes(most: int | None, otherwise: str) -> str:
    return otherwise if most is None else f"to {most // MB:,} MB"


def _seconds(most: float | None) -> str:
    return "–" if most is None else f"{most:g} s"


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterable[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
