"""What LINE's answers mean for whoever waits, by their status and their few words."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from core.errors import MiyabiError, Permanent, SlowDown, TryLater
from core.words import Words

AWAY = Words(
    ja="LINEに接続できません（{why}）。",
    en="LINE can't be reached ({why}).",
    zh="无法连接 LINE（{why}）。",
)
SLOW_DOWN = Words(
    ja="LINEの利用制限にかかりました。", en="LINE asks to slow down.", zh="LINE 要求放慢速度。"
)
REFUSED = Words(ja="LINEに断られました: {why}", en="LINE refused: {why}", zh="被 LINE 拒绝: {why}")
WRONG_TOKEN = Words(
    ja="LINEのチャネルアクセストークンが使えません。「miyabi line token」で設定し直してください。",
    en="LINE does not take the channel access token. Set a new one with “miyabi line token”.",
    zh="LINE 频道访问令牌无效。请用“miyabi line token”重新设置。",
)

RATE_WAIT = timedelta(seconds=2)
"""Where LINE names no Retry-After with a 429 of rate; whoever tries again doubles it."""


class LineRefused(Permanent):
    """LINE will not do it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(REFUSED.fill(why=f"{status} {why}".strip()))
        self.status = status
        self.why = why


class WrongToken(LineRefused):
    """The channel's access token is none, or is one no longer."""

    def __init__(self, why: str) -> None:
        super().__init__(401, why)
        self.words = WRONG_TOKEN


class TokenSpent(LineRefused):
    """The reply token was used before, or is too old: LINE says the same of both."""


class NobodyThere(LineRefused):
    """There is no such chat for this channel, or its bot is not in it any more."""


class MonthSpent(LineRefused):
    """As many messages are pushed this month as the plan allows, or are just being pushed: LINE
    sets some aside for what goes out at this moment (LINE's FAQ on 429)."""


class Delivered(Exception):  # not an error: it has happened
    """A push with this retry key was accepted before; the ids of its messages, where LINE tells."""

    def __init__(self, ids: Sequence[str], request: str) -> None:
        super().__init__(request)
        self.ids = ids
        self.request = request


def meaning(status: int, body: Any, headers: Mapping[str, str]) -> MiyabiError | Delivered:
    """An answer that is no success (developers.line.biz, Messaging API reference, status codes)."""
    said = _json(body)
    why = _why(said)
    if status == 409:
        return Delivered(ids_of(said), headers.get("x-line-accepted-request-id", ""))
    if status >= 500:
        return TryLater(AWAY.fill(why=f"HTTP {status}"))
    if status == 429 and "monthly limit" not in why.lower():
        wait = headers.get("Retry-After", "")
        return SlowDown(SLOW_DOWN, timedelta(seconds=int(wait)) if wait.isdecimal() else RATE_WAIT)
    return _refusal(status, why)


def _refusal(status: int, why: str) -> LineRefused:
    if status == 401:
        return WrongToken(why)
    if status == 429:
        return MonthSpent(status, why)
    if status == 400 and "reply token" in why.lower():
        return TokenSpent(status, why)
    if status == 400 and _names_nobody(why):
        return NobodyThere(status, why)
    return LineRefused(status, why)


def _names_nobody(why: str) -> bool:
    """“Failed to send messages” is said of an id that does not exist, or where the bot is not; of
    one that has another form LINE says that the property `to` is invalid."""
    said = why.lower()
    return "failed to send messages" in said or "property, 'to'" in said


def _json(body: Any) -> Mapping[str, Any]:
    try:
        said = json.loads(body or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _why(said: Mapping[str, Any]) -> str:
    """LINE's own words, with which part of what we sent they are about. The token endpoints say
    `error_description` in place of `message` (line-openapi, channel-access-token.yml)."""
    parts = [str(said.get("message") or said.get("error_description") or said.get("error") or "")]
    details = said.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            parts.append(f"{detail.get('property', '')}: {detail.get('message', '')}".strip(": "))
    return "; ".join(part for part in parts if part)[:500]


def ids_of(said: Any) -> Sequence[str]:
    """What LINE calls the messages it took, where it tells."""
    sent = said.get("sentMessages") if isinstance(said, dict) else None
    told = sent if isinstance(sent, list) else ()
    return [str(each["id"]) for each in told if isinstance(each, dict) and "id" in each]
