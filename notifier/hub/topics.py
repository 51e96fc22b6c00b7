"""Which topics there are, and what is so of each unless a notice says otherwise.

What programs send is of normal importance unless they say otherwise, about no one person, and can
be muted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from core.notices import Importance
from core.preferences import fits
from notifier.hub.decision import Matter


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, or a family of them where the name is a glob. `personal`: it concerns one person,
    `needed`: it can't be muted away entirely; `at_once`: it is never held until the end of quiet
    hours, nor put into a digest."""

    name: str
    importance: Importance = "normal"
    personal: bool = False
    needed: bool = False
    at_once: bool = False
    sample: Mapping[str, Any] = field(default_factory=dict)
    """Facts to try templates with."""


_PERSON = "0197a3f0-0000-7000-8000-000000000001"
_ALERT = {
    "title": "DiskFull",
    "text": "2.1 GB left on db-1",
    "url": "https://alerts.example.co.jp/1",
    "status": "firing",
    "firing": 1,
    "resolved_count": 0,
    "labels": {"severity": "critical", "host": "db-1"},
    "alerts": [
        {
            "name": "DiskFull",
            "status": "firing",
            "summary": "/var is at 97 %",
            "labels": {"host": "db-1"},
            "starts_at": "2026-11-27T00:00:00+00:00",
            "url": "https://alerts.example.co.jp/1",
        }
    ],
}
_WHY = {"ja": "期限切れです。", "en": "It has expired.", "zh": "已过期。"}
_TITLE = {"ja": "御見積書", "en": "Quote", "zh": "报价单"}
_REPORT = {
    "done": 12,
    "waiting": 1,
    "failed": 1,
    "minutes_saved": 240,
    "agents": [{"title": _TITLE, "done": 12, "minutes": 240}],
    "waits": [{"reference": 1043, "title": _TITLE, "who": ["鈴木 一郎"]}],
    "failures": [{"reference": 1042, "title": _TITLE, "why": _WHY}],
}

TOPICS: Sequence[Topic] = (
    Topic(
        "approval.requested",
        personal=True,
        needed=True,
        sample={"reference": 1042, "title": _TITLE, "who": "佐藤 花子", "amount": 1234567},
    ),
    Topic(
        "approval.reminded",
        personal=True,
        needed=True,
        sample={"reference": 1042, "title": _TITLE, "since": "2026-11-26T01:00:00+00:00"},
    ),
    Topic("approval.code", "high", personal=True, needed=True, at_once=True),
    Topic("approval.digest", personal=True, needed=True),
    Topic("approval.circulated", personal=True, sample={"reference": 1042, "title": _TITLE}),
    Topic("approval.*", personal=True, needed=True),
    Topic("question.*", personal=True, needed=True),
    Topic(
        "task.failed",
        "high",
        personal=True,
        sample={"reference": 1042, "title": _TITLE, "failure": _WHY},
    ),
    Topic("task.*", personal=True, sample={"reference": 1042, "title": _TITLE}),
    Topic(
        "security.account_linked",
        "high",
        personal=True,
        needed=True,
        sample={"account": "slack: U1", "person": "佐藤 花子"},
    ),
    Topic(
        "security.token_made",
        "high",
        personal=True,
        needed=True,
        sample={"label": "ci", "person": "佐藤 花子"},
    ),
    Topic(
        "security.role_given",
        "high",
        needed=True,
        sample={"roles": ["admin"], "person": "佐藤 花子"},
    ),
    Topic("security.*", "high", needed=True),
    Topic(
        "person.unreachable",
        "high",
        sample={"person": "佐藤 花子", "count": 1, "topic": "security.token_made"},
    ),
    Topic("report.daily", sample={"since": "2026-11-26", "until": "2026-11-26", **_REPORT}),
    Topic("report.weekly", sample={"since": "2026-11-23", "until": "2026-11-29", **_REPORT}),
    Topic("report.*"),
    Topic("alert.*", sample=_ALERT),
    Topic("community.*", sample={"title": "勉強会", "text": "金曜 18:00"}),
    Topic("log.*", sample={"title": "backup", "text": "done in 12 s"}),
    Topic(
        "system.unacknowledged",
        "high",
        sample={"topic": "alert.disk", "notice": _PERSON, "rungs": 2},
    ),
    Topic(
        "system.template_failed",
        "high",
        sample={"topic": "alert.disk", "language": "ja", "error": "body: host is missing"},
    ),
    Topic("system.template_missing", sample={"topic": "alert.disk", "language": "zh"}),
    Topic(
        "system.place_off",
        "high",
        sample={"name": "ops", "channel": "webhook", "why": _WHY},
    ),
    Topic("system.dead", "high", sample={"count": 3, "topic": "alert.disk", "reason": "bounced"}),
    Topic("system.circuit", "high", sample={"provider": "email", "reason": "timed out"}),
    Topic("system.*", "high"),
    Topic(
        "digest",
        at_once=True,
        sample={
            "kind": "daily",
            "items": [
                {
                    "topic": "task.failed",
                    "importance": "high",
                    "facts": {"reference": 1042, "title": _TITLE, "failure": _WHY},
                    "count": 1,
                    "task": 1042,
                    "at": "2026-11-27T00:00:00+00:00",
                    "notice": _PERSON,
                }
            ],
            "total": 1,
            "left": 0,
        },
    ),
    Topic("test", personal=True, at_once=True, sample={"person": "佐藤 花子"}),
)
"""The first that fits counts."""


@lru_cache(maxsize=4096)
def topic_of(name: str) -> Topic:
    """What is so of a topic; its name is the one that was asked for."""
    known = next((each for each in TOPICS if fits(each.name, name)), None)
    return Topic(name) if known is None else replace(known, name=name)


def matter_of(
    name: str,
    importance: Importance | None = None,
    *,
    task_id: UUID | None = None,
    home: tuple[str, str] | None = None,
) -> Matter:
    """What of a notice of this topic decides who is told how."""
    topic = topic_of(name)
    return Matter(name, importance or topic.importance, topic.personal, topic.needed, task_id, home)
