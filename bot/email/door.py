"""What every part that deals with mails has at hand, in one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from bot.email.child import Readers
from bot.email.dkim_check import Resolve, txt_of
from bot.email.reading.mail import Mail
from core.house import House
from core.platform import Opening
from core.settings import EmailSettings


class Reads(Protocol):
    """Gives what a mail says, or raises Poison (bot/email/child.py)."""

    async def read(self, raw: bytes) -> Mail: ...


@dataclass(frozen=True, slots=True)
class Door:
    """The house, what reads mails (children of this process), and the DNS."""

    house: House
    settings: EmailSettings
    readers: Reads
    resolve: Resolve = txt_of


@asynccontextmanager
async def open_door(opening: Opening) -> AsyncIterator[Door]:
    """With children of its own, which end with it."""
    readers = Readers()
    try:
        yield Door(opening.house, opening.settings.email, readers)
    finally:
        await readers.close()
