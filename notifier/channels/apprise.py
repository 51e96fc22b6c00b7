"""The long tail by the library apprise: some 150 services, each by an address of its own form.

Off unless `notify.apprise` is set: apprise opens its own connections, so nothing keeps a place from
our own network, and each of its services is as good as its plug-in. It says no more than whether it
worked; the status and the words that its plug-ins log say what to do, where they log any. It has no
key, can't edit, and what got lost can't be looked for. No file goes along.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from core.channel import Channel, Posting
from core.errors import MiyabiError, OutcomeUnknown, Permanent, TryLater, Unreachable
from core.messages import Message
from core.ports import Sent
from core.settings import Settings
from core.words import Words

_AT_MOST = timedelta(seconds=15)
_OWN_LIMIT = 12.0  # seconds that a service has
# Ours: what is longer some services split or refuse, and ntfy makes a file of (4,096 bytes).
_MOST_TITLE, _MOST_BODY = 100, 1200

_NOT_HERE = frozenset(
    {
        "json", "jsons", "xml", "xmls", "form", "forms",  # what the channel `webhook` is for
        "apprise", "apprises",  # another apprise, which may do all that is not done here
        "dbus", "glib", "gnome", "kde", "qt", "macosx", "windows", "syslog", "blink1",  # this host
        "rsyslog", "file",
    }
)  # fmt: skip
"""Services that reach this machine, or any address that somebody likes."""

_OFF = Words(
    ja="apprise は無効です（notify.apprise を true にすると使えます）。",
    en="apprise is off (set notify.apprise to true).",
    zh="apprise 未启用（将 notify.apprise 设为 true 后可用）。",
)
_NO_URL = Words(
    ja="apprise のアドレス（url）を指定してください（例: ntfys://トピック）。",
    en="Give apprise's address (url), e.g. ntfys://topic.",
    zh="请指定 apprise 地址（url），例如 ntfys://主题。",
)
_NO_SERVICE = Words(
    ja="このアドレスは apprise では使えません。",
    en="That is no address that apprise can use here.",
    zh="apprise 无法使用此地址。",
)
_REASON = Words(
    ja="apprise の送信先が受け付けません: {why}",
    en="apprise's service does not take it: {why}",
    zh="apprise 的服务拒绝接收: {why}",
)
_NO_REASON = Words(
    ja="apprise は失敗とだけ伝え、理由を示しません。",
    en="apprise says that it failed, and not why.",
    zh="apprise 只报告失败，未说明原因。",
)
_LOST = Words(
    ja="apprise の送信先との接続が切れました。届いたかどうか分かりません。",
    en="The connection to apprise's service broke off; it may have arrived.",
    zh="与 apprise 服务的连接中断，无法确定是否送达。",
)

_STATUS = re.compile(r"error[=: ]+(\d{3})\b", re.IGNORECASE)
_BROKE_OFF = re.compile(r"connection error|socket|timed? ?out", re.IGNORECASE)
_ADDRESS = re.compile(r"\b[\w+.-]+://\S+")


async def send(settings: Settings, posting: Posting) -> Sent:
    """Have apprise send it. Raises as core.channel says."""
    if not settings.notify.apprise:
        raise Permanent(_OFF)
    # Here: it takes half a second to load, and most never need it.
    import apprise

    service = _service(posting.secrets.get("url", ""))
    if service is None:
        raise Permanent(_NO_SERVICE)
    said: list[str] = []
    sender = apprise.Apprise(asset=service.asset)
    sender.add(service)
    result = await sender.async_notify(
        title=_cut(posting.message.title, _MOST_TITLE),
        body=_cut(body_of(posting.message), _MOST_BODY),
        body_format=apprise.NotifyFormat.TEXT,
        notify_type=_kind(posting.notice),
        timeout=_OWN_LIMIT,
        log_callback=lambda entry, _: said.append(entry.message),
    )
    if result:
        return Sent(posting.address, posting.key)
    if result.status == apprise.AppriseResultStatus.TIMEOUT:
        raise TimeoutError
    raise meaning(said)


def meaning(said: Sequence[str]) -> MiyabiError:
    """What to do about a failure of which apprise says no more than that it is one."""
    text = " ".join(said)
    why = _ADDRESS.sub("…", " ".join(text.split()))[:200]  # an address may be a secret
    status = _STATUS.search(text)
    if status is not None:
        code = int(status[1])
        if code in {404, 410}:
            return Unreachable(_REASON.fill(why=why))
        if code in {408, 425, 429} or code >= 500:
            return TryLater(_REASON.fill(why=why))
        return Permanent(_REASON.fill(why=why))
    if _BROKE_OFF.search(text):
        return OutcomeUnknown(_LOST)
    return Permanent(_REASON.fill(why=why) if why else _NO_REASON)


def body_of(message: Message) -> str:
    """All of it as plain text."""
    parts = [message.body or message.text]
    parts += [f"{field.label}: {field.value}" for field in (*message.fields, *message.totals)]
    parts += [
        " ".join(part for part in (line.name, line.detail, line.amount) if part)
        for line in message.lines
    ]
    parts += [f"{section.label}\n{section.value}" for section in message.sections]
    return "\n".join(part for part in [*parts, message.note] if part)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _kind(notice: Mapping[str, Any]) -> Any:
    import apprise

    if notice.get("resolved"):
        return apprise.NotifyType.SUCCESS
    kinds = {"critical": apprise.NotifyType.FAILURE, "high": apprise.NotifyType.WARNING}
    return kinds.get(str(notice.get("importance")), apprise.NotifyType.INFO)


def _service(url: str) -> Any:
    """The service that an address means; None where it is none, or not one for here."""
    import apprise

    if url.partition(":")[0].strip().lower() in _NOT_HERE:
        return None
    asset = apprise.AppriseAsset(
        app_id="Miyabi",
        app_desc="Miyabi",
        app_url="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        http_redirects=False,
        allow_templates=False,
        secure_logging=True,
        service_timeout=_OWN_LIMIT,
        result_log_memory_size=4096,
    )
    found = apprise.Apprise.instantiate(url, asset=asset)
    return None if found is None or str(found.schema) in _NOT_HERE else found


def wrong(settings: Settings, address: str, given: Mapping[str, str]) -> Words | None:
    """What is wrong with an address of apprise's."""
    if not settings.notify.apprise:
        return _OFF
    if not given.get("url"):
        return _NO_URL
    return None if _service(given["url"]) else _NO_SERVICE


channel = Channel(
    "apprise",
    send,
    wrong,
    {"url": "the service's address as apprise writes it, with all its secrets"},
    frozenset({"url"}),
    at_most=_AT_MOST,
    preview=lambda posting: f"{posting.message.title}\n{body_of(posting.message)}",
)
