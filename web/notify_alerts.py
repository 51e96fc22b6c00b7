"""Prometheus Alertmanager's webhook as it is (version 4 of its JSON; Grafana sends the same).

What fires and what is resolved of one group are one message: the group is Alertmanager's own. The
same told twice, by a retry or by two Alertmanagers of a cluster, is one; what is repeated after
hours (`repeat_interval`) is told again.
"""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.api.problems import UNREADABLE, Problem
from core.codec import fingerprint
from core.notices import Importance

SAME_FOR = 1800
"""Seconds within which the same alerts in the same states are the same call made again."""
MOST_ALERTS = 20
"""Of one group, as they stand in the facts; how many there are is told in any case."""

_IMPORTANCE: Mapping[str, Importance] = {
    "critical": "critical", "page": "critical", "disaster": "critical", "emergency": "critical",
    "high": "high", "error": "high", "major": "high",
    "warning": "normal", "warn": "normal", "average": "normal", "minor": "normal",
    "info": "low", "information": "low", "none": "low", "low": "low",
}  # fmt: skip
"""What the label `severity` is worth, as it is commonly written."""

_NOT_IN_A_TOPIC = re.compile(r"[^a-z0-9]+", re.ASCII)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])", re.ASCII)
_LONGEST = 1000  # characters of a text of theirs

Texts = dict[str, str]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Alert(_Lenient):
    """One alert of a group."""

    status: Literal["firing", "resolved"]
    labels: Texts = {}
    annotations: Texts = {}
    starts_at: Annotated[datetime, Field(alias="startsAt")]
    ends_at: Annotated[datetime | None, Field(alias="endsAt")] = None
    url: Annotated[str, Field(alias="generatorURL")] = ""
    fingerprint: str = ""


class Group(_Lenient):
    """What Alertmanager posts."""

    status: Literal["firing", "resolved"]
    key: Annotated[str, Field(alias="groupKey", min_length=1)]
    alerts: Annotated[list[Alert], Field(min_length=1)]
    truncated: Annotated[int, Field(alias="truncatedAlerts")] = 0
    receiver: str = ""
    grouped_by: Annotated[Texts, Field(alias="groupLabels")] = {}
    labels: Annotated[Texts, Field(alias="commonLabels")] = {}
    annotations: Annotated[Texts, Field(alias="commonAnnotations")] = {}
    url: Annotated[str, Field(alias="externalURL")] = ""

    @property
    def topic(self) -> str:
        """`alert.disk_full` for a group of one name, `alert.several` for others. By what the group
        is made of: what its alerts have in common changes while it fires."""
        name = self.grouped_by.get("alertname", "")
        words = _NOT_IN_A_TOPIC.sub("_", _HUMP.sub("_", name).lower()).strip("_")
        return f"alert.{words[:80].strip('_') or 'several'}"

    @property
    def importance(self) -> Importance:
        """By the worst `severity` of those that fire; of what is over, of all."""
        firing = [alert for alert in self.alerts if alert.status == "firing"] or self.alerts
        found = {
            _IMPORTANCE.get(alert.labels.get("severity", "").lower(), "normal") for alert in firing
        }
        order: Sequence[Importance] = ("critical", "high", "normal", "low")
        return next(each for each in order if each in found)

    def call_key(self, now: float | None = None) -> str:
        """The same for the same alerts in the same states, told again within `SAME_FOR`."""
        alerts = sorted(
            [alert.fingerprint or fingerprint(alert.labels), alert.status,
             alert.starts_at.isoformat()]
            for alert in self.alerts
        )  # fmt: skip
        window = int((time.time() if now is None else now) // SAME_FOR)
        return "am:" + fingerprint([self.key, self.status, alerts, self.truncated, window])

    def facts(self) -> dict[str, Any]:
        """What is told of it: the first of them that fire in full, and how many there are."""
        order = sorted(self.alerts, key=lambda alert: (alert.status != "firing", alert.starts_at))
        firing = sum(alert.status == "firing" for alert in self.alerts)
        name = self.labels.get("alertname") or ", ".join(
            sorted({alert.labels.get("alertname", "?") for alert in self.alerts})
        )
        return {
            "title": _cut(self.annotations.get("summary") or name, 200),
            "text": _cut(self.annotations.get("description", ""), _LONGEST),
            "url": _address(self.url),
            "status": self.status,
            "name": _cut(name, 200),
            "firing": firing,
            "resolved_count": len(self.alerts) - firing,
            "more": max(0, len(self.alerts) - MOST_ALERTS) + self.truncated,
            "labels": {k: _cut(v, 100) for k, v in [*self.labels.items()][:20]},
            "alerts": [_shown(alert) for alert in order[:MOST_ALERTS]],
        }


def _shown(alert: Alert) -> dict[str, Any]:
    told = {
        "name": _cut(alert.labels.get("alertname", "?"), 100),
        "status": alert.status,
        "summary": _cut(alert.annotations.get("summary", ""), 200),
        "instance": _cut(alert.labels.get("instance", ""), 100),
        "starts_at": alert.starts_at.isoformat(timespec="seconds"),
        "url": _address(alert.url),
    }
    if alert.status == "resolved" and alert.ends_at is not None:
        told["ends_at"] = alert.ends_at.isoformat(timespec="seconds")
    return told


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _address(url: str) -> str:
    """An address that may become a link; whatever else stands there is none."""
    return url if url.startswith(("http://", "https://")) and len(url) <= 500 else ""


def read(body: bytes) -> Group:
    """Raises Problem 400 for what Alertmanager never sends."""
    try:
        return Group.model_validate_json(body)
    except ValidationError:
        raise Problem(400, UNREADABLE) from None
