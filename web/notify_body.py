"""What a program sends to have people told: its form, and the notice that it becomes.

Pure but for the file, which is decoded here and kept by whoever asks.
"""

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from bot.api.problems import UNREADABLE, Problem
from core.inbound import storable
from core.notice_senders import LONGEST_TOPIC, TOPIC, Sender
from core.notices import Action, Importance, Ladder, Notice, Recipient
from core.words import Words

MOST_RECIPIENTS = 50
MOST_FACTS = 20_000
"""Bytes of a notice's facts as JSON."""
_DEEPEST = 6
"""Levels of what facts may hold within one another."""
_FIRST_YEAR, _LAST_YEAR = 2000, 9000

_WRONG = Words(ja="この値は使えません。", en="It can't have this value.", zh="不能使用此值。")
_REASONS = {
    "missing": Words(ja="必須です。", en="It is needed.", zh="必填。"),
    "extra_forbidden": Words(
        ja="この項目はありません。", en="There is no such field.", zh="没有此项目。"
    ),
    "string_too_long": Words(ja="長すぎます。", en="It is too long.", zh="过长。"),
    "too_long": Words(ja="多すぎます。", en="There are too many.", zh="过多。"),
}
TOO_MANY_FACTS = Words(
    ja="facts は合わせて {most} バイト、{deep} 階層までにしてください。",
    en="All facts together may have {most} bytes and {deep} levels.",
    zh="facts 合计最多 {most} 字节、{deep} 层。",
).fill(most=MOST_FACTS, deep=_DEEPEST)
NO_TOPIC = Words(
    ja="トピックは「alert.disk_full」のように小文字・数字・「.」「_」「-」で書いてください。",
    en="Write a topic as “alert.disk_full”: small letters, digits, “.”, “_”, “-”.",
    zh="主题请写成“alert.disk_full”的形式（小写字母、数字、“.”、“_”、“-”）。",
)
NOT_ALLOWED = Words(
    ja="このキーではトピック「{topic}」を送れません。許可されているもの: {topics}",
    en="This key may not send the topic “{topic}”. It may: {topics}",
    zh="此密钥不能发送主题“{topic}”。允许的主题: {topics}",
)

Short = Annotated[str, Field(max_length=200)]
Address = Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s\x00-\x1f\x7f]+$")]
To = Annotated[str, Field(min_length=1, max_length=120)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GivenAction(_Strict):
    """Something that whoever hears it may do. `label` and `url` are for `open`."""

    kind: Annotated[str, Field(pattern="^(ack|mute|open)$")]
    label: Annotated[str, Field(max_length=40)] = ""
    url: Address | None = None


class GivenLadder(_Strict):
    """Who is told next where nobody acknowledges it within so many minutes, and so on."""

    minutes: Annotated[int, Field(ge=1, le=1440)]
    then: Annotated[list[Annotated[list[To], Field(min_length=1)]], Field(max_length=10)]
    expires_minutes: Annotated[int, Field(ge=1, le=10_080)] = 1440


class GivenFile(_Strict):
    """A file that goes with it, in base64."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    content: str


class Given(_Strict):
    """One notice. `to` left out: whoever the company's rules say."""

    topic: str
    importance: Importance = "normal"
    to: Annotated[list[To], Field(max_length=MOST_RECIPIENTS)] = []
    title: Short = ""
    text: Annotated[str, Field(max_length=4000)] = ""
    url: Address | None = None
    facts: dict[str, Any] = {}
    group: Short | None = None
    resolved: bool = False
    actions: Annotated[list[GivenAction], Field(max_length=5)] = []
    ladder: GivenLadder | None = None
    file: GivenFile | None = None
    expires_at: AwareDatetime | None = None

    @field_validator("topic")
    @classmethod
    def _is_topic(cls, value: str) -> str:
        if len(value) > LONGEST_TOPIC or TOPIC.fullmatch(value) is None:
            raise ValueError(value)
        return value

    @field_validator("expires_at")
    @classmethod
    def _can_be_kept(cls, value: datetime | None) -> datetime | None:
        """At the ends of the calendar a moment in another zone is none at all in UTC."""
        if value is not None and not _FIRST_YEAR <= value.year <= _LAST_YEAR:
            raise ValueError(value)
        return value


def read(body: bytes) -> Given:
    """Raises Problem 400 for what is no JSON, 422 for what is not as it should be."""
    try:
        return Given.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        if any(each["type"] == "json_invalid" for each in found):
            raise Problem(400, UNREADABLE) from None
        raise wrong(
            {_field(each["loc"]): _reason(each["loc"], each["type"]) for each in found}
        ) from None


def wrong(errors: Mapping[str, Words]) -> Problem:
    """What is wrong with which field."""
    return Problem(422, errors=errors)


def _field(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place) or "body"


def _reason(place: tuple[int | str, ...], kind: str) -> Words:
    return NO_TOPIC if place == ("topic",) and kind == "value_error" else _REASONS.get(kind, _WRONG)


def check_topic(sender: Sender, topic: str) -> None:
    """Raises Problem 403 where the program may not have people told of that."""
    if not sender.may(topic):
        words = NOT_ALLOWED.fill(topic=topic, topics=", ".join(sender.topics))
        raise Problem(403, words, code="topic_not_allowed")


def facts_of(facts: Mapping[str, Any], **texts: str | None) -> dict[str, Any]:
    """Facts as they are kept: with the texts that every notice may have, and without characters
    that no database can keep. Raises Problem 422 where they are too many."""
    try:
        kept = _kept({**facts, **{name: text for name, text in texts.items() if text}}, _DEEPEST)
        size = len(json.dumps(kept, ensure_ascii=False).encode())
    except (ValueError, UnicodeEncodeError):
        size = MOST_FACTS + 1
    if size > MOST_FACTS:
        raise wrong({"facts": TOO_MANY_FACTS})
    assert isinstance(kept, dict)  # noqa: S101  # as it was given
    return kept


def _kept(value: object, deeper: int) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    if isinstance(value, Mapping | list) and deeper < 1:
        raise ValueError
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _kept(each, deeper - 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_kept(each, deeper - 1) for each in value]
    return value


def group_of(sender: Sender, group: str | None) -> str | None:
    """The name of a group that is this program's alone, and of one length."""
    if not group:
        return None
    digest = hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{sender.id.hex[-12:]}:{digest[:40]}"


def decoded(file: GivenFile) -> bytes:
    """The bytes of a file. Raises Problem 422."""
    try:
        return base64.b64decode(file.content, validate=True)
    except (binascii.Error, ValueError):
        raise wrong({"file.content": _WRONG}) from None


def ladder_of(given: GivenLadder, rungs: tuple[tuple[Recipient, ...], ...]) -> Ladder:
    """The ladder, with who its rungs are."""
    return Ladder(given.minutes, rungs, given.expires_minutes)


def notice_of(sender: Sender, given: Given, recipients: tuple[Recipient, ...]) -> Notice:
    """The notice, without ladder and file, for which more has to be looked up."""
    return Notice(
        given.topic,
        recipients,
        facts_of(given.facts, title=given.title, text=given.text, url=given.url),
        given.importance,
        actions=tuple(_action(each) for each in given.actions),
        group=group_of(sender, given.group),
        resolved=given.resolved,
        expires_at=given.expires_at,
    )


def _action(given: GivenAction) -> Action:
    label = {language: storable(given.label) for language in ("ja", "en", "zh") if given.label}
    return Action(given.kind, label, given.url or "")  # type: ignore[arg-type]  # one of the three
