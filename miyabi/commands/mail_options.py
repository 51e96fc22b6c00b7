"""What the options of `miyabi mail box` make of a mailbox."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from bot.email.boxes import Box, OAuth, Purpose, Security, Server, Trust
from bot.email.providers import PROVIDERS, Provider
from core.errors import Refused
from core.words import Words

_NO_ADDRESS = Words(
    ja="「{address}」はメールアドレスではありません（「+」は使えません）。",
    en="“{address}” is no mail address (and “+” can't be in it).",
    zh="“{address}”不是邮件地址（不能含“+”）。",
)
_NO_HOST = Words(
    ja="このプロバイダーではサーバー名（--host）が必要です。",
    en="With this provider the name of its server (--host) is needed.",
    zh="使用该服务商时需要服务器名（--host）。",
)
_NO_OAUTH = Words(
    ja="OAuthには --client-id と、トークンのアドレス（--provider、Microsoft 365では --tenant、"
    "その他では --token-url、https）が必要です。",
    en="OAuth needs --client-id and where tokens are given: a --provider, with Microsoft 365 the "
    "--tenant, with others --token-url (https).",
    zh="OAuth 需要 --client-id 以及令牌地址（--provider，Microsoft 365 需 --tenant，"
    "其他需 --token-url，https）。",
)
_NO_DOMAIN = Words(
    ja="「{domain}」はドメイン名ではありません。",
    en="“{domain}” is no domain.",
    zh="“{domain}”不是域名。",
)
_EVERYBODYS = Words(
    ja="{domain} のアドレスは誰でも取得できます。人を1人ずつ登録してください"
    "（miyabi people link ハンドル アドレス）。",
    en="Anybody can have an address at {domain}. Add people one by one: miyabi people link HANDLE "
    "ADDRESS.",
    zh="任何人都可以取得 {domain} 的地址。请逐个登记人员（miyabi people link 账号 地址）。",
)

_OPEN_TO_ALL = {
    "gmail.com", "googlemail.com", "yahoo.co.jp", "yahoo.com", "ymail.ne.jp", "outlook.com",
    "outlook.jp", "hotmail.com", "hotmail.co.jp", "live.com", "live.jp", "msn.com", "icloud.com",
    "me.com", "mac.com", "aol.com", "aol.jp", "proton.me", "protonmail.com", "gmx.com", "gmx.de",
    "mail.com", "zoho.com", "zohomail.com", "qq.com", "163.com", "126.com", "docomo.ne.jp",
    "ezweb.ne.jp", "au.com", "softbank.ne.jp", "i.softbank.jp", "vodafone.ne.jp", "ymobile.ne.jp",
    "y-mobile.ne.jp", "rakumail.jp", "nifty.com", "biglobe.ne.jp",
}  # fmt: skip
_ADDRESS = re.compile(r"[a-z0-9._%=&'*/?^`{|}~!#$-]+@[a-z0-9-]+(\.[a-z0-9-]+)+")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_OTHER = Provider(None, None, smtp_port=587, smtp_security="starttls")


@dataclass(frozen=True, slots=True)
class Given:
    """The options; None is what nobody said."""

    purpose: Purpose | None = None
    provider: str | None = None
    name: str | None = None
    host: str | None = None
    imap_host: str | None = None
    imap_port: int | None = None
    imap_security: Security | None = None
    smtp_host: str | None = None
    smtp_port: int | None = None
    smtp_security: Security | None = None
    user: str | None = None
    oauth: bool | None = None
    client_id: str | None = None
    tenant: str | None = None
    token_url: str | None = None
    scope: str | None = None
    folder: str | None = None
    moves_to: str | None = None
    plus: bool | None = None
    authserv_id: list[str] | None = None
    topmost: bool | None = None
    domain: list[str] | None = None
    dkim: bool | None = None
    post: bool | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Given":
        """The options among a command's arguments."""
        return cls(**{each.name: values[each.name] for each in fields(cls)})


def checked(address: str) -> str:
    """An address that can be a mailbox's, in lower case. Raises Refused."""
    if _ADDRESS.fullmatch(address.lower()) is None:
        raise Refused(_NO_ADDRESS.fill(address=address[:100]))
    return address.lower()


def settled(box: Box, given: Given) -> Box:
    """The mailbox with what was given, and a provider's presets where nothing else was. Raises
    Refused where something is missing."""
    provider = PROVIDERS[given.provider] if given.provider else None
    user = _first(given.user, _user(box))
    oauth2 = _first(given.oauth, provider.oauth if provider else None, _by_oauth(box))
    imap = _server(box.imap, given, "imap", provider, user, oauth2=oauth2)
    smtp = _server(box.smtp, given, "smtp", provider, user, oauth2=oauth2)
    used = any(server is not None and server.oauth2 for server in (imap, smtp))
    return replace(
        box,
        purpose=given.purpose or box.purpose,
        name=_first(given.name, box.name),
        trust=_trust(provider.trust if provider else box.trust, given),
        imap=imap,
        smtp=smtp,
        oauth=_oauth(box.oauth, given, provider) if used else None,
        folder=given.folder or box.folder,
        moves_to=box.moves_to if given.moves_to is None else given.moves_to or None,
        plus=_first(given.plus, provider.plus if provider else None, box.plus),
    )


def _server(
    was: Server | None,
    given: Given,
    which: Literal["imap", "smtp"],
    provider: Provider | None,
    user: str,
    *,
    oauth2: bool,
) -> Server | None:
    own: dict[str, Any] = {
        name: getattr(given, f"{which}_{name}") for name in ("host", "port", "security")
    }
    if own["host"] == "":
        return None
    preset = {name: getattr(provider or _OTHER, f"{which}_{name}") for name in ("port", "security")}
    before = was if provider is None else None  # another provider's ports are others
    host = _first(own["host"], given.host, getattr(provider, which, None), was.host if was else "")
    if not host:
        if provider is not None:
            raise Refused(_NO_HOST)
        return None
    return Server(
        host,
        _first(own["port"], before.port if before else None, preset["port"]),
        user,
        _first(own["security"], before.security if before else None, preset["security"]),
        oauth2,
    )


def _oauth(was: OAuth | None, given: Given, provider: Provider | None) -> OAuth:
    url = _first(given.token_url, provider.token_url if provider else None, was and was.token_url)
    if url and "{tenant}" in url and given.tenant:
        url = url.replace("{tenant}", given.tenant)
    client = given.client_id or (was.client_id if was else "")
    local = bool(url) and url.startswith("http://127.0.0.1:")
    if not client or not url or "{" in url or not (url.startswith("https://") or local):
        raise Refused(_NO_OAUTH)
    scope = _first(given.scope, provider.scope if provider else None, was.scope if was else "")
    return OAuth(url, client, scope)


def _trust(was: Trust, given: Given) -> Trust:
    ids, domains = given.authserv_id, given.domain
    for domain in domains or ():
        if domain and _DOMAIN.fullmatch(domain.lower()) is None:
            raise Refused(_NO_DOMAIN.fill(domain=domain[:100]))
        if domain.lower() in _OPEN_TO_ALL:
            raise Refused(_EVERYBODYS.fill(domain=domain))
    return Trust(
        was.authserv_ids if ids is None else tuple(each.lower() for each in ids if each),
        _first(given.topmost, was.topmost),
        was.domains if domains is None else tuple(each.lower() for each in domains if each),
        _first(given.dkim, was.dkim),
    )


def _user(box: Box) -> str:
    server = box.imap or box.smtp
    return server.user if server is not None else box.address


def _by_oauth(box: Box) -> bool:
    return any(server is not None and server.oauth2 for server in (box.imap, box.smtp))


def _first(*values: Any) -> Any:
    """The first that was said; the last in any case."""
    return next((value for value in values if value is not None), values[-1])
