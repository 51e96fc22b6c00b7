"""Whatever a program sends is read or refused with a reason; nothing of it breaks anything."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.problems import Problem
from core.notice_senders import Sender
from web import notify_alerts, notify_body, notify_events
from web.notify_body import MOST_FACTS

SENDER = Sender(UUID(int=1), UUID(int=2), "x", ("*",), datetime(2026, 11, 27, tzinfo=UTC))

_ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
_JSON = st.recursive(
    _ATOMS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
_FIELDS = sorted({*notify_body.Given.model_fields, "specversion", "id", "source", "type", "data",
                  "time", "subject", "status", "groupKey", "alerts", "commonLabels"})  # fmt: skip
_LIKELY = st.dictionaries(
    st.sampled_from(_FIELDS),
    _JSON | st.sampled_from(["alert.x", "1.0", "firing", "2026-11-27T00:00:00Z", "high", "/x"]),
    max_size=12,
)
_WHOLE: dict[str, Any] = {
    "topic": "alert.x", "specversion": "1.0", "id": "1", "source": "/x", "type": "a.b",
    "status": "firing", "groupKey": "g",
    "alerts": [{"status": "firing", "labels": {}, "startsAt": "2026-11-27T00:00:00Z"}],
}  # fmt: skip


def _bytes(value: object) -> bytes:
    return json.dumps(value).encode()  # lone surrogates escaped, as programs send them


@given(_LIKELY.map(lambda more: {"topic": "alert.x", **more}))
def test_a_notice_is_read_or_refused(body: dict[str, Any]) -> None:
    with contextlib.suppress(Problem):
        notice = notify_body.notice_of(SENDER, notify_body.read(_bytes(body)), ())
        assert len(json.dumps(notice.facts, allow_nan=False)) < 6 * MOST_FACTS
        assert "\x00" not in json.dumps(notice.facts, ensure_ascii=False)


@given(
    _LIKELY.map(lambda more: {**_WHOLE, **more}) | _JSON,
    st.sampled_from([notify_events.STRUCTURED, notify_events.BATCH, "application/json", "x/y", ""]),
    st.booleans(),
)
def test_an_event_is_read_or_refused(body: Any, kind: str, many: bool) -> None:
    headers = {"content-type": kind, "ce-id": "1", "ce-source": "/x", "ce-type": "a.b",
               "ce-specversion": "1.0", "ce-time": str(body)[:20]}  # fmt: skip
    with contextlib.suppress(Problem):
        found, _ = notify_events.read(headers, _bytes([body, body] if many else body))
        for each in found:
            facts = notify_body.facts_of(each.facts, title=each.title)
            json.dumps(facts, allow_nan=False, ensure_ascii=False).encode()


@given(_LIKELY.map(lambda more: {**_WHOLE, **more}) | _JSON)
def test_an_alert_is_read_or_refused(body: Any) -> None:
    with contextlib.suppress(Problem):
        group = notify_alerts.read(_bytes(body))
        assert SENDER.may(group.topic)
        notify_body.facts_of(group.facts())
        assert group.call_key(0.0) == group.call_key(1.0) != group.call_key(2e9)


@pytest.mark.parametrize(
    "body", [b'{"topic": "a", "facts": {"x": ' + b"9" * 5000 + b"}}", b"[" * 200_000, b"\xff\xfe"]
)
def test_what_parsers_break_at_is_refused(body: bytes) -> None:
    for read in (
        lambda: notify_body.notice_of(SENDER, notify_body.read(body), ()),
        lambda: notify_events.read({"content-type": notify_events.STRUCTURED}, body),
        lambda: notify_events.read({"content-type": notify_events.BATCH}, body),
        lambda: notify_alerts.read(body),
    ):
        with pytest.raises(Problem):
            read()


@given(st.text(max_size=120))
def test_an_alerts_name_always_makes_a_topic(name: str) -> None:
    group = notify_alerts.read(_bytes({**_WHOLE, "groupLabels": {"alertname": name}}))

    assert notify_body.TOPIC.fullmatch(group.topic)
    assert len(group.topic) <= notify_body.LONGEST_TOPIC
