"""The mailboxes that are read by IMAP: a thread each, in one of all web processes."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.email import boxes
from bot.email.boxes import Box
from bot.email.imap_watch import PACE, Keeps, Pace, Position, Watch
from bot.email.inbox import Come, Read, keep_read, store_all
from bot.email.oauth import Tokens
from core.db import fetch_alone, fetch_one_alone, is_outage
from core.house import House

log = structlog.get_logger()

_LOOKS = 3.0
"""Seconds between two looks at which mailboxes there are, and whether we are still their watcher.
Another process takes over within as many of them, when ours ends."""

_LOCK = 7_046_141_201
"""Of the session that watches: two watchers would do no harm, but everything twice."""
_TAKE = text("select pg_try_advisory_lock(:lock)")  # across organisations: one watches for all
_HELD = text("select 1")  # the lock is the session's: as long as that is there


async def watch(house: House, most_bytes: int, pace: Pace = PACE) -> None:
    """Watch all mailboxes that are read by IMAP while no other process does; until cancelled."""
    while True:
        try:
            async with house.engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await _watch(house, connection, most_bytes, pace)
        except (SQLAlchemyError, OSError) as error:
            log.warning("email.watcher_without_database", error=repr(error))
        await asyncio.sleep(_LOOKS)


async def _watch(house: House, connection: AsyncConnection, most_bytes: int, pace: Pace) -> None:
    """Until the connection, and the lock with it, is lost."""
    while not await connection.scalar(_TAKE, {"lock": _LOCK}):  # noqa: ASYNC110  # nothing tells
        await asyncio.sleep(_LOOKS)
    tokens = Tokens(house)
    running: dict[UUID, tuple[Box, Watch]] = {}
    try:
        while await connection.scalar(_HELD):
            wanted = {box.id: box for box in await boxes.all_boxes(house) if box.imap is not None}
            await _stop(running, [id for id in running if not _is_right(running[id], wanted)])
            for box in wanted.values():
                if box.id not in running:
                    keeps = Keeping(house, box, tokens)
                    running[box.id] = (box, Watch(box, keeps, most_bytes, pace))
            await asyncio.sleep(_LOOKS)
    finally:
        await asyncio.shield(_stop(running, list(running)))
        with suppress(SQLAlchemyError, OSError):  # the connection goes back to others
            await connection.invalidate()


def _is_right(running: tuple[Box, Watch], wanted: Mapping[UUID, Box]) -> bool:
    box, watch = running
    now = wanted.get(box.id)
    return now is not None and _without_tokens(now) == _without_tokens(box) and watch.alive


def _without_tokens(box: Box) -> Box:
    """Some providers give another refresh token each time: no reason to connect anew."""
    lasting = {name: each for name, each in box.secrets.items() if name != "refresh_token"}
    return replace(box, secrets=lasting)


async def _stop(running: dict[UUID, tuple[Box, Watch]], ids: Sequence[UUID]) -> None:
    stopped = [running.pop(id)[1] for id in ids]
    await asyncio.gather(*(watch.stop() for watch in stopped))


class Keeping(Keeps):
    """The mails of a mailbox's folder in the database, and how far it has been read."""

    def __init__(self, house: House, box: Box, tokens: Tokens) -> None:
        self._house = house
        self._box = box
        self._tokens = tokens
        self._values = {
            "organisation_id": box.organisation_id,
            "mailbox_id": box.id,
            "folder": box.folder,
        }

    async def position(self) -> Position:
        """How far it has been read. By servers' clocks a day may have begun before ours."""
        row = await fetch_one_alone(
            self._house.engine,
            "select coalesce(f.uidvalidity, 0) as uidvalidity, coalesce(f.last_uid, 0) as last_uid,"
            " cast(b.created_at at time zone 'UTC' as date) as since"
            " from mailboxes b left join mail_folders f on f.mailbox_id = b.id"
            " and f.folder = :folder"
            " where b.organisation_id = :organisation_id and b.id = :mailbox_id",
            self._values,
        )
        assert row is not None  # noqa: S101  # rows of mailboxes stay
        return Position(row.uidvalidity, row.last_uid, row.since - timedelta(days=1))

    async def known(self, uidvalidity: int, uids: Sequence[int]) -> set[int]:
        """Which of these are stored."""
        rows = await fetch_alone(
            self._house.engine,
            "select uid from mails where organisation_id = :organisation_id"
            " and mailbox_id = :mailbox_id and uidvalidity = :uidvalidity and uid = any (:uids)",
            {**self._values, "uidvalidity": uidvalidity, "uids": list(uids)},
        )
        return {row.uid for row in rows}

    async def store(self, mails: Sequence[Come], read: Read) -> set[int]:
        """Store them; gives the numbers of those that are."""
        try:
            await store_all(self._house, self._box, mails, came_by="imap", read=read)
        except Exception as error:
            if is_outage(error) or not mails:
                raise
            return await self._one_by_one(mails, read)
        return {come.uid for come in mails if come.uid is not None}

    async def _one_by_one(self, mails: Sequence[Come], read: Read) -> set[int]:
        """One of them can't be stored, which nobody foresaw: the others must not wait for it."""
        stored: set[int] = set()
        for come in mails:
            try:
                await store_all(self._house, self._box, [come], came_by="imap")
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("email.not_stored", mailbox=str(self._box.id), uid=come.uid)
            else:
                stored.add(come.uid or 0)
        async with self._house.engine.begin() as connection:
            await keep_read(connection, self._box, read)
        return stored

    async def failed(self, why: str) -> None:
        """The folder can't be read just now."""
        await fetch_alone(
            self._house.engine,
            "insert into mail_folders (organisation_id, mailbox_id, folder, uidvalidity, error)"
            " values (:organisation_id, :mailbox_id, :folder, 0, :why)"
            " on conflict (mailbox_id, folder) do update set error = excluded.error",
            {**self._values, "why": why.replace("\0", "")},
        )

    async def token(self) -> str | None:
        """What opens it, where that is no password."""
        now = await boxes.by_id(self._house, self._box.id)
        return await self._tokens.token(now or self._box)

    async def refused(self) -> None:
        """What opened it does not do so any more."""
        self._tokens.forget(self._box)
