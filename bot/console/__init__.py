"""The terminal as a chat platform: no account anywhere, and the same walk as everywhere else."""

from bot.console.outbound import outbound
from core.file_kinds import MOST_BYTES
from core.limits import Limits
from core.messages import Message
from core.platform import Platform, Preview

_LIMITS = Limits(
    threads=True,
    edits=True,
    buttons=25,
    forms=False,
    private=True,
    text=None,
    longer="whole",
    sends_files=MOST_BYTES,
    takes_files=MOST_BYTES,
    answers_within=None,
    a_minute=None,
    lost="written",
    source="bot/console/README.md",
)


def _preview(message: Message) -> Preview:
    from bot.console.preview import preview

    return preview(message)


platform = Platform("console", outbound, limits=_LIMITS, preview=_preview)
