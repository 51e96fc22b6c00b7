"""Mailboxes: the addresses that are written to, whom each trusts, and its ways in and out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal
from uuid import UUID

import structlog

from audit.event import JSON, SYSTEM, Actor, Event
from core.codec import dump, load
from core.db import Named, execute, fetch_alone, fetch_one, fetch_one_alone, from_json, to_json
from core.errors import MiyabiError, Refused
from core.house import House
from core.sealing import seal, unseal
from core.tags import Tag
from core.unit import Unit
from core.words import Words

log = structlog.get_logger()

Purpose = Literal["general", "quote", "expense", "support"]
Security = Literal["tls", "starttls", "none"]


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed of mail that comes to a mailbox.

    `authserv_ids`: whose Authentication-Results are believed (RFC 8601, 5); `*.x` is every host
    under x. `topmost`: the provider adds none, and its own is the first. `domains`: from there
    people may ask who are not known yet, once the sender is verified. `dkim`: signatures are
    checked by ourselves where there is no such header.
    """

    authserv_ids: tuple[str, ...] = ()
    topmost: bool = False
    domains: tuple[str, ...] = ()
    dkim: bool = True


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the mailbox's provider. `oauth2`: XOAUTH2 with a token of `OAuth`."""

    host: str
    port: int
    user: str = ""
    security: Security = "tls"
    oauth2: bool = False


@dataclass(frozen=True, slots=True)
class OAuth:
    """Where access tokens come from (RFC 6749, 6); the secrets are `client_secret` and
    `refresh_token`."""

    token_url: str
    client_id: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox. `workspace` is what its organisation is called in accounts of mail (its slug).

    `plus`: the provider delivers address+anything@ to it (RFC 5233). `folder` is what is read by
    IMAP; `moves_to`, the folder that what was stored is moved to (None: it is marked as seen).
    `imap` and `smtp` are None where mail comes another way, or goes out by the settings' server.
    """

    id: UUID
    organisation_id: UUID
    workspace: str
    address: str
    purpose: Purpose = "general"
    name: str = "Miyabi"
    trust: Trust = field(default_factory=Trust)
    imap: Server | None = None
    smtp: Server | None = None
    oauth: OAuth | None = None
    folder: str = "INBOX"
    moves_to: str | None = None
    plus: bool = True
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """`imap_password`, `smtp_password`, `client_secret`, `refresh_token`, `post_secret`."""


OTHERS = Words(
    ja="メールアドレス {address} はすでに登録されています。",
    en="There is a mailbox {address} already.",
    zh="邮箱地址 {address} 已登记。",
)

# Read anew each time: what a mail costs to be read and dealt with is a hundred times this look-up,
# and a password or a trust that was changed counts at once in every process.

_SELECT = (
    "select b.id, b.organisation_id, o.slug as workspace, b.address, b.purpose, b.settings,"
    " b.secrets from mailboxes b join organisations o on o.id = b.organisation_id"
)
_ELSEWHERE = ("id", "organisation_id", "workspace", "address", "purpose", "secrets")


async def all_boxes(house: House) -> list[Box]:
    """All mailboxes there are, the oldest first. One that can't be opened is left out, and logged:
    its neighbours go on."""
    # across organisations: whoever waits for mail waits for that of all
    rows = await fetch_alone(
        house.engine, f"{_SELECT} where b.removed_at is null order by b.id", {}
    )
    return _opened(house, rows)


async def of_organisation(house: House, organisation_id: UUID) -> list[Box]:
    """The mailboxes of an organisation, likewise."""
    rows = await fetch_alone(
        house.engine,
        f"{_SELECT} where b.organisation_id = :organisation_id and b.removed_at is null"
        " order by b.id",
        {"organisation_id": organisation_id},
    )
    return _opened(house, rows)


async def by_address(house: House, address: str) -> Box | None:
    """The mailbox of an address in any case, also with a +tag where its provider delivers those;
    None where it is none of ours. Raises Permanent where its secrets can't be opened."""
    if not address.isprintable():  # no such can be stored, nor asked for
        return None
    address = address.lower()
    local, at, domain = address.rpartition("@")
    bare = local.partition("+")[0] + at + domain
    row = await fetch_one_alone(
        house.engine,
        # across organisations: an address belongs to exactly one, and this says which
        f"{_SELECT} where b.address = any(array[cast(:address as text), cast(:bare as text)])"
        " and b.removed_at is null order by b.address = :address desc limit 1",
        {"address": address, "bare": bare},
    )
    box = _box(house, row) if row is not None else None
    return box if box is not None and (box.plus or box.address == address) else None


async def by_id(house: House, box_id: UUID) -> Box | None:
    """A mailbox, also one that was removed, then without its secrets: its last mails are dealt with
    yet. Raises Permanent where its secrets can't be opened."""
    row = await fetch_one_alone(
        house.engine,
        # across organisations: whoever has the id has it from a row of the organisation's
        f"{_SELECT} where b.id = :id",
        {"id": box_id},
    )
    return _box(house, row) if row is not None else None


async def add(work: Unit, house: House, box: Box, actor: Actor = SYSTEM) -> None:
    """Add a mailbox. Raises Refused where there is one of that address, anybody's."""
    row = await fetch_one(
        work.connection,
        "insert into mailboxes (id, organisation_id, address, purpose, settings, secrets) values"
        " (:id, :organisation_id, :address, :purpose, cast(:settings as jsonb), :secrets)"
        " on conflict do nothing returning id",
        _values(house, box),
    )
    if row is None:
        raise Refused(OTHERS.fill(address=box.address))
    work.record(
        Event(box.organisation_id, box.id, Tag.MAILBOX_ADDED, {**_said(box), **_sha256(box)}, actor)
    )
    await _tell(work)


async def change(work: Unit, house: House, box: Box, actor: Actor = SYSTEM) -> None:
    """Give a mailbox other settings and secrets; all but its address and whose it is."""
    row = await fetch_one(
        work.connection,
        "update mailboxes set purpose = :purpose, settings = cast(:settings as jsonb),"
        " secrets = :secrets where id = :id and organisation_id = :organisation_id"
        " and removed_at is null returning id",
        {name: value for name, value in _values(house, box).items() if name != "address"},
    )
    if row is not None:
        event = Event(box.organisation_id, box.id, Tag.MAILBOX_CHANGED, _said(box), actor)
        work.record(event)
        await _tell(work)


async def renew(work: Unit, house: House, box: Box, refresh_token: str) -> None:
    """Keep the refresh token that the provider gave in place of the mailbox's, unless somebody has
    set another one meanwhile. No event: nobody decided anything."""
    row = await fetch_one(
        work.connection,
        "select secrets from mailboxes where id = :id and organisation_id = :organisation_id"
        " and removed_at is null for update",
        {"id": box.id, "organisation_id": box.organisation_id},
    )
    if row is None or row.secrets is None:
        return
    secrets = unseal(_key(house), "email", str(box.id), bytes(row.secrets))
    if secrets.get("refresh_token") == box.secrets.get("refresh_token"):
        sealed = seal(
            _key(house), "email", str(box.id), {**secrets, "refresh_token": refresh_token}
        )
        await execute(
            work.connection,
            "update mailboxes set secrets = :sealed"
            " where id = :id and organisation_id = :organisation_id",
            {"id": box.id, "organisation_id": box.organisation_id, "sealed": sealed},
        )


async def remove(work: Unit, box: Box, actor: Actor = SYSTEM) -> None:
    """Take a mailbox out of use and forget what opens it; what came there stays."""
    row = await fetch_one(
        work.connection,
        "update mailboxes set removed_at = now(), secrets = null"
        " where id = :id and organisation_id = :organisation_id and removed_at is null"
        " returning id",
        {"id": box.id, "organisation_id": box.organisation_id},
    )
    if row is not None:
        work.record(Event(box.organisation_id, box.id, Tag.MAILBOX_REMOVED, {}, actor))
        await _tell(work)


def _values(house: House, box: Box) -> Mapping[str, object]:
    settings = {name: each for name, each in dump(box).items() if name not in _ELSEWHERE}
    return {
        "id": box.id,
        "organisation_id": box.organisation_id,
        "address": box.address.lower(),
        "purpose": box.purpose,
        "settings": to_json(settings),
        "secrets": seal(_key(house), "email", str(box.id), box.secrets) if box.secrets else None,
    }


def _said(box: Box) -> dict[str, JSON]:
    """What the log says of it: in full what rules who is believed."""
    trust = box.trust
    return {
        "purpose": box.purpose,
        "authserv_ids": list(trust.authserv_ids),
        "topmost": trust.topmost,
        "domains": list(trust.domains),
        "dkim": trust.dkim,
    }


def _sha256(box: Box) -> dict[str, JSON]:
    return {"address_sha256": sha256(box.address.lower().encode()).hexdigest()}


async def _tell(work: Unit) -> None:
    """Whoever waits for mail hears that there is another mailbox, or one less."""
    await execute(
        work.connection,
        "select pg_notify('mailboxes', '')",  # across organisations: a bell
        {},
    )


def _opened(house: House, rows: Sequence[Named]) -> list[Box]:
    found = []
    for row in rows:
        try:
            found.append(_box(house, row))
        except MiyabiError as error:
            log.warning("email.mailbox_unreadable", mailbox=str(row.id), why=error.words.en)
    return found


def _box(house: House, row: Named) -> Box:
    secrets: Mapping[str, str] = {}
    if row.secrets is not None:
        secrets = unseal(_key(house), "email", str(row.id), bytes(row.secrets))
    own = {name: getattr(row, name) for name in _ELSEWHERE if name != "secrets"}
    found: Box = load(Box, {**from_json(row.settings), **own, "secrets": secrets})
    return found


def _key(house: House) -> bytes:
    return house.key_of(b"miyabi: mailboxes")
