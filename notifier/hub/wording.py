"""What the sender says of a notice: its words, and a word to the admins where they failed."""

import time
from collections.abc import Mapping
from uuid import UUID

import structlog

from core.db import fetch_one
from core.house import House
from core.messages import Message
from core.notices import Notice, Recipient, publish
from core.unit import Unit, unit
from core.words import Language
from notifier.hub.rendering import Own, Rendered, render
from notifier.hub.template_store import own_of
from notifier.hub.told import Told
from notifier.hub.topics import topic_of

log = structlog.get_logger()

FAILED = "system.template_failed"
MISSING = "system.template_missing"
KEPT_FOR = 3.0
"""Seconds that a company's own templates are taken as they were."""

_ADMINS = (Recipient("role", "admin"),)


class Wording:
    """Words for the notices of one house; it remembers companies' own for a moment."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._own: dict[UUID, tuple[float, Own]] = {}

    async def message(self, told: Told, language: Language, zone: str) -> Message:
        """The notice in words. Where its template fails, the admins hear of it, once a day."""
        own = await self._own_of(told.organisation_id)
        rendered = render(told, language, zone, own)
        if rendered.failed is not None or rendered.missing:
            await _report(self._house, told, language, rendered)
        return rendered.message

    async def _own_of(self, organisation_id: UUID) -> Own:
        since, own = self._own.get(organisation_id, (0.0, {}))
        if time.monotonic() - since > KEPT_FOR:
            async with self._house.engine.connect() as connection:
                own = await own_of(connection, organisation_id)
            self._own[organisation_id] = (time.monotonic(), own)
        return own


async def _report(house: House, told: Told, language: Language, rendered: Rendered) -> None:
    """Once a day for a topic and a language. Not of the notices that tell it, which would tell of
    themselves in turn. Of facts no value is in it."""
    topic = FAILED if rendered.failed is not None else MISSING
    log.warning(
        "hub.template_failed", topic=told.topic, language=language, why=rendered.failed or "missing"
    )
    if told.topic in {FAILED, MISSING}:
        return
    facts = {"topic": told.topic, "language": language}
    if rendered.failed is not None:
        facts["error"] = rendered.failed
    async with unit(house) as work:
        if await _told_today(work, told.organisation_id, topic, facts):
            return
        notice = Notice(topic, _ADMINS, facts, importance=topic_of(topic).importance)
        await publish(work, told.organisation_id, notice)


async def _told_today(
    work: Unit, organisation_id: UUID, topic: str, facts: Mapping[str, str]
) -> bool:
    """Whether they heard so already. Of several workers one looks at a time, after the other's
    commit: hence two statements."""
    await fetch_one(
        work.connection,
        "select pg_advisory_xact_lock(hashtextextended(:lock, 0))",
        {"lock": f"template:{organisation_id}"},
    )
    row = await fetch_one(
        work.connection,
        "select exists (select from notices where organisation_id = :organisation_id"
        " and topic = :topic and created_at > now() - interval '1 day'"
        " and facts ->> 'topic' = :about and facts ->> 'language' = :language) as told",
        {
            "organisation_id": organisation_id,
            "topic": topic,
            "about": facts["topic"],
            "language": facts["language"],
        },
    )
    return row is not None and bool(row.told)
