"""What the sender says of notices: their words, and a word to the admins where these failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from core.db import fetch_one
from core.messages import Message
from core.notices import Notice, Recipient, publish
from core.unit import Unit
from core.words import Language
from notifier.hub.rendering import Own, render
from notifier.hub.template_store import own_of
from notifier.hub.told import Told
from notifier.hub.topics import topic_of

log = structlog.get_logger()

FAILED = "system.template_failed"
MISSING = "system.template_missing"

_ADMINS = (Recipient("role", "admin"),)


@dataclass(slots=True)
class Wording:
    """Words for the notices of one company, and what was wrong with them."""

    organisation_id: UUID
    own: Own
    wrong: dict[tuple[str, Language], str | None] = field(default_factory=dict)
    """Of topics in languages: why a template failed; None where there is none."""

    def message(self, told: Told, language: Language, zone: str) -> Message:
        """The notice in words: plainly where its template fails."""
        rendered = render(told, language, zone, self.own)
        if rendered.failed is not None or rendered.missing:
            self.wrong[told.topic, language] = rendered.failed
        return rendered.message

    async def report(self, work: Unit) -> None:
        """Have the admins hear of it, once a day for a topic and a language. Not of the notices
        that tell it, which would tell of themselves in turn. Of facts no value is in it."""
        for (about, language), failed in self.wrong.items():
            log.warning("hub.template", topic=about, language=language, why=failed or "missing")
            if about in {FAILED, MISSING}:
                continue
            topic = MISSING if failed is None else FAILED
            facts = {"topic": about, "language": language}
            if failed is not None:
                facts["error"] = failed
            if await _told_today(work, self.organisation_id, topic, facts):
                continue
            notice = Notice(topic, _ADMINS, facts, importance=topic_of(topic).importance)
            await publish(work, self.organisation_id, notice)


async def wording_of(work: Unit, organisation_id: UUID) -> Wording:
    """For a company, with its own templates."""
    return Wording(organisation_id, await own_of(work.connection, organisation_id))


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
