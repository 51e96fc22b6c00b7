"""Mail: how soon a mail is a task, and how fast a full mailbox is read.

Each part is a module of its own and says what stands beside it.
"""

from collections.abc import AsyncIterator

from bench import email_imap
from bench.figures import Figures

_PARTS = (email_imap.run,)


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """One part after the other."""
    for part in _PARTS:
        async for figures in part(quick=quick):
            yield figures
