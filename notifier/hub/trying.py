"""Trying the words of a topic without sending them: for previews, and before a company's are kept.

A topic that nobody knows here is tried with the facts of the last notice of it, or such as are
given.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import fetch_one, from_json
from core.errors import Refused
from core.ids import new_id
from core.messages import Message
from core.notice_senders import LONGEST_TOPIC, TOPIC
from core.platform import Preview
from core.words import Language, Words
from notifier.hub import templates
from notifier.hub.rendering import Failed, fill
from notifier.hub.told import Told
from notifier.hub.topics import topic_of

Show = Callable[[Told, Message], Preview]
"""A notice in the form of one channel."""

_FAILS = Words(
    ja="見本の内容で文面を作成できません（{part}）。例えば --fact で値を指定してください。",
    en="The words can't be made with sample facts ({part}). Give a value with --fact, perhaps.",
    zh="无法用示例内容生成文案（{part}）。可用 --fact 指定值。",
)
_ON_CHANNEL = Words(
    ja="{channel} で表示できません: {why}",
    en="{channel} can't show it: {why}",
    zh="{channel} 无法显示：{why}",
)
_ZONE = "Asia/Tokyo"


def is_topic(name: str) -> bool:
    """Whether a topic may be called so."""
    return TOPIC.fullmatch(name) is not None and len(name) <= LONGEST_TOPIC


async def sample_of(
    connection: AsyncConnection, organisation_id: UUID, topic: str, given: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Facts to try it with: of the topic as it is known, or as it was told last, and what is
    given."""
    known = topic_of(topic).sample
    if not known:
        row = await fetch_one(
            connection,
            "select facts from notices where organisation_id = :organisation_id"
            " and topic = :topic order by created_at desc limit 1",
            {"organisation_id": organisation_id, "topic": topic},
        )
        known = from_json(row.facts) if row is not None else {}
    return {**known, **given}


def sample(organisation_id: UUID, topic: str, facts: Mapping[str, Any], at: datetime) -> Told:
    """A notice of it that never was."""
    importance = topic_of(topic).importance
    return Told(new_id(), organisation_id, topic, importance, facts, at)


def try_on_all(
    source: str, told: Told, language: Language, ways: Mapping[str, Show]
) -> Mapping[str, Preview]:
    """A template on every channel: as it is, counted, and resolved. Raises Refused with the part or
    the channel that can't."""
    template = templates.read(source)
    try:
        states = [
            fill(template, each, language, _ZONE)
            for each in (told, _counted(told), _counted(told, resolved=True))
        ]
    except Failed as failed:
        raise Refused(_FAILS.fill(part=str(failed))) from failed
    shown: dict[str, Preview] = {}
    for channel, show in ways.items():
        try:
            first, *_ = [show(told, message) for message in states]
        except Exception as error:  # whatever a renderer stumbles over
            raise Refused(_ON_CHANNEL.fill(channel=channel, why=type(error).__name__)) from error
        shown[channel] = first
    return shown


def _counted(told: Told, *, resolved: bool = False) -> Told:
    return replace(told, count=12, resolved=resolved)
