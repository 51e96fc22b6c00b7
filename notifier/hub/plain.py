"""A notice in plain words, with its facts: what is said of topics that have no words of their own,
and instead of a template that failed, so that this never means silence."""

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from core.acknowledging import ACK, MUTE
from core.messages import Button, Field, Message
from core.words import LANGUAGES, Language, Words
from notifier.hub.told import Told

HAVE = Words(ja="対応します", en="I have it", zh="我来处理")
MUTE_TODAY = Words(ja="今日は通知しない", en="Mute for today", zh="今天不再通知")
HAS = Words(
    ja="{who} さんが対応中です（{at}）。",
    en="{who} has it ({at}).",
    zh="{who} 正在处理（{at}）。",
)
RESOLVED = Words(ja="解決済み", en="Resolved", zh="已解决")
CANCELLED = Words(ja="取り消されました。", en="This is no longer so.", zh="此通知已失效。")
TIMES = Words(ja="×{n}", en="×{n}", zh="×{n}")
FAILED = Words(
    ja="（このお知らせの文面を作成できなかったため、内容をそのまま表示しています）",
    en="(The words of this notice could not be made; this is what it is about.)",
    zh="（无法生成此通知的文案，以下为原始内容）",
)

_SECRET = ("password", "secret", "token", "authorization", "api_key", "apikey", "cookie")
_SHOWN = 20
_LONGEST = 500


def plain(told: Told, language: Language, zone: str, *, failed: bool = False) -> Message:
    """Its title, text and the rest of its facts, each in a line. Facts whose name says that they
    are a secret are left out."""
    facts = told.facts
    title = _said(facts.get("title"), language) or told.topic
    if told.task is not None:
        title = f"#{told.task} {title}"
    body = _said(facts.get("text"), language)
    fields = tuple(
        Field(name, _said(value, language))
        for name, value in list(facts.items())[:_SHOWN]
        if name not in {"title", "text"} and not secret(name) and _said(value, language)
    )
    note = FAILED.to(language) if failed else ""
    return finished(
        told, Message("", title=title, body=body, fields=fields, note=note), language, zone
    )


def secret(name: str) -> bool:
    """Whether a fact's name says that it is nobody's business."""
    return any(word in name.lower() for word in _SECRET)


def finished(told: Told, message: Message, language: Language, zone: str) -> Message:
    """With what is the same for all notices: how often, whether it is over, who has it, why it is
    told here, and what can be done about it."""
    marks = [TIMES.fill(n=told.count).to(language)] if told.count > 1 else []
    marks += [RESOLVED.to(language)] if told.resolved else []
    title = " ".join([message.title, *(f"[{mark}]" for mark in marks)]).strip()
    notes = [message.note, *(note.to(language) for note in told.notes)]
    notes += [CANCELLED.to(language)] if told.cancelled else []
    if told.acknowledged_at is not None:
        at = told.acknowledged_at.astimezone(ZoneInfo(zone)).strftime("%H:%M")
        notes.append(HAS.fill(who=told.acknowledged_by or "—", at=at).to(language))
    note = "\n".join(each for each in notes if each)
    text = "\n".join(each for each in (*_spoken(title, message), note) if each)
    return Message(
        text=text,
        title=title,
        body=message.body,
        fields=message.fields + _addresses(told, language),
        lines=message.lines,
        totals=message.totals,
        sections=message.sections,
        picture=message.picture or told.picture,
        files=message.files or ((told.file,) if told.file else ()),
        buttons=_buttons(told, language),
        note=note,
        language=language,
    )


def _spoken(title: str, message: Message) -> Iterator[str]:
    """All of it but the note, in lines."""
    yield title
    yield message.body
    yield from (f"{each.label}: {each.value}" for each in message.fields)
    for line in message.lines:
        yield "・" + "  ".join(part for part in (line.name, line.detail, line.amount) if part)
    yield from (f"{each.label}: {each.value}" for each in message.totals)
    yield from (f"{each.label}\n{each.value}" for each in message.sections)


def _buttons(told: Told, language: Language) -> tuple[Button, ...]:
    if not told.open:
        return ()
    value = str(told.id)
    acts = [action.kind for action in told.actions]
    found = []
    if told.climbs or "ack" in acts:
        label = _label(told, "ack", language) or HAVE.to(language)
        found.append(Button(ACK, label, value, "primary"))
    if "mute" in acts:
        label = _label(told, "mute", language) or MUTE_TODAY.to(language)
        found.append(Button(MUTE, label, value, "quiet"))
    return tuple(found)


def _addresses(told: Told, language: Language) -> tuple[Field, ...]:
    links = [action for action in told.actions if action.kind == "open" and action.url]
    return tuple(Field(action.label.get(language) or "→", action.url) for action in links)


def _label(told: Told, kind: str, language: Language) -> str:
    labels: list[Mapping[str, str]] = [each.label for each in told.actions if each.kind == kind]
    return labels[0].get(language, "") if labels else ""


def _said(value: Any, language: Language) -> str:
    """A fact as it is said: of texts in several languages, the reader's."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        if set(value) == set(LANGUAGES):
            return str(value[language])[:_LONGEST]
        return ", ".join(
            f"{name}={_said(each, language)}" for name, each in value.items() if not secret(name)
        )[:_LONGEST]
    if isinstance(value, list | tuple):
        return ", ".join(_said(each, language) for each in value)[:_LONGEST]
    return str(value)[:_LONGEST]
