"""The ways in that the web process holds open: IMAP mailboxes, and ports for SMTP and LMTP."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from bot.email import imap, listening
from bot.email.imap_watch import PACE, Pace
from bot.email.listening import By
from core.db import create_engine
from core.platform import Opening

_CONNECTIONS = 6  # to the database
_ANSWERS_WITHIN = 30.0
"""Seconds in which the database takes a mail. Nobody waits who could not wait longer, and of some
there are 25 MB; the web's own connections are meant for people, and give up sooner."""


def _nobody(by: By, port: int) -> None:
    return None


async def listen(
    opening: Opening, bound: Callable[[By, int], None] = _nobody, pace: Pace = PACE
) -> None:
    """Take in what comes, until cancelled. `bound` is told which ports were free."""
    settings = opening.settings.email
    url = opening.house.engine.url.render_as_string(hide_password=False)
    engine = create_engine(url, pool_size=_CONNECTIONS, answer_at_most=_ANSWERS_WITHIN)
    house = replace(opening.house, engine=engine)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(imap.watch(house, settings.most_bytes, pace))
            group.create_task(listening.listen(house, settings, bound))
    finally:
        await engine.dispose()
