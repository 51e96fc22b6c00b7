"""Mail: how fast it is read, how soon it is a task, and how fast a full mailbox is taken in.

Each part is a module of its own and says what stands beside it.
"""

from collections.abc import AsyncIterator

from bench import email_imap, email_out, email_read
from bench.figures import Figures

_PARTS = (email_read.run, email_imap.run, email_out.run)


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """One part after the other."""
    for part in _PARTS:
        async for figures in part(quick=quick):
            yield figures
