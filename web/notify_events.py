"""CloudEvents 1.0 as notices: binary, structured and batched, as the HTTP binding has them.

`type` is the topic, `subject` the title, `data` the facts; `source` and `id` together are the key,
as the specification says. Extensions `importance`, `to`, `group` and `resolved` say the rest.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_binary, from_structured
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from bot.api.problems import UNREADABLE, Problem
from core.notice_senders import LONGEST_TOPIC, TOPIC
from core.notices import IMPORTANCES, Importance
from core.words import Words
from web.notify_body import NO_TOPIC, wrong

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MOST = 100
"""Events of one batch."""

_LACKING = Words(
    ja="CloudEvents の属性がない、または誤っています: {names}",
    en="These attributes of the CloudEvent are missing or wrong: {names}",
    zh="CloudEvents 的属性缺失或有误: {names}",
)
_TOO_MANY = Words(
    ja="一度に送れるのは{most}件までです。",
    en="A batch may have {most} events.",
    zh="每批最多 {most} 个事件。",
).fill(most=MOST)
_IMPORTANCE = Words(
    ja="importance は {known} のどれかにしてください。",
    en="importance is one of: {known}.",
    zh="importance 只能是: {known}。",
).fill(known=", ".join(IMPORTANCES))


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says, before it is looked up who is meant."""

    topic: str
    key: str
    importance: Importance
    title: str
    facts: Mapping[str, Any]
    to: tuple[str, ...] = field(default=())
    group: str | None = None
    resolved: bool = False


def read(headers: Mapping[str, str], body: bytes) -> tuple[Sequence[Told], bool]:
    """The events of a request, and whether they came as a batch. `headers` by names in small
    letters. Raises Problem 400 and 422."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == BATCH:
            return _batch(body), True
        if kind == STRUCTURED:
            event = from_structured(HTTPMessage({}, body), JSONFormat(), _strict)
        else:
            given = {name: value for name, value in headers.items() if name.startswith("ce-")}
            given["content-type"] = headers.get("content-type", "application/json")
            event = from_binary(HTTPMessage(given, body), JSONFormat(), _strict)
    except CloudEventValidationError as error:
        raise _lacking(sorted(error.errors)) from None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise Problem(400, UNREADABLE) from None
    return [_told(event)], False


def _batch(body: bytes) -> Sequence[Told]:
    each = json.loads(body)
    if not isinstance(each, list):
        raise Problem(400, UNREADABLE)
    if len(each) > MOST:
        raise Problem(413, _TOO_MANY)
    form = JSONFormat()
    return [_told(form.read(_strict, json.dumps(one, ensure_ascii=False))) for one in each]


def _strict(attributes: dict[str, Any], data: Any = None) -> BaseCloudEvent:
    """An event that says itself what it is: the library would make up an id and a time."""
    lacking = [name for name in ("id", "source", "type", "specversion") if not attributes.get(name)]
    if lacking:
        raise _lacking(lacking)
    return CloudEvent(attributes, data)


def _lacking(names: Sequence[str]) -> Problem:
    return Problem(422, _LACKING.fill(names=", ".join(names)), code="invalid_event")


def _told(event: BaseCloudEvent) -> Told:
    said = event.get_attributes()
    topic = str(said["type"]).lower()
    if len(topic) > LONGEST_TOPIC or TOPIC.fullmatch(topic) is None:
        raise wrong({"type": NO_TOPIC})
    importance = str(said.get("importance", "normal")).lower()
    if importance not in get_args(Importance):
        raise wrong({"importance": _IMPORTANCE})
    data = _data(event.get_data())
    title = str(data.get("title") or said.get("subject") or "")
    return Told(
        topic,
        _key(str(said["source"]), str(said["id"])),
        importance,  # type: ignore[arg-type]  # one of them
        title[:200],
        {**data, "source": str(said["source"])},
        tuple(name.strip() for name in str(said.get("to", "")).split(",") if name.strip()),
        str(said["group"]) if said.get("group") else None,
        str(said.get("resolved", "")).lower() == "true",
    )


def _data(data: object) -> dict[str, Any]:
    """What it is about, as facts: text as the text, and what is no object under `data`."""
    if isinstance(data, Mapping):
        return dict(data)
    if data is None or (isinstance(data, str | bytes) and not data):
        return {}
    if isinstance(data, bytes):
        try:
            data = data.decode()
        except UnicodeDecodeError:
            return {}  # nothing that people read
    return {"text": data} if isinstance(data, str) else {"data": data}


def _key(source: str, id_: str) -> str:
    """`source` and `id` make an event the same one (CloudEvents 1.0, id)."""
    return "ce:" + hashlib.sha256(f"{source}\0{id_}".encode("utf-8", "surrogatepass")).hexdigest()
