"""Whoever takes no messages from the bot is told by another account, until they write again."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core import accounts
from core.house import House
from core.inbound import Sender
from core.unit import unit

log = structlog.get_logger()


async def blocked(house: House, sender: Sender) -> None:
    """Discord takes nothing for this person: each further try would count against us."""
    async with unit(house) as work:
        if await accounts.unreachable(work, sender):
            log.info("discord.unreachable", user=sender.account)


async def back(house: House, sender: Sender) -> None:
    """They wrote to the bot, so it can write to them."""
    try:
        async with unit(house) as work:
            await accounts.reachable(work, sender)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("discord.not_marked_reachable", user=sender.account, error=repr(error))
