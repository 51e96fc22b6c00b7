"""People, their roles, and the accounts by which platforms know them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from audit.registry import brief
from core import guarding, schedule
from core.company import Company
from core.db import execute, fetch_all, fetch_one
from core.errors import Refused
from core.ids import new_id
from core.inbound import Sender
from core.tags import Tag
from core.unit import Unit
from core.words import Language, Words, as_language

Role = Literal["requester", "approver", "accountant", "auditor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

CHANGED = "person.changed"
"""What is done by the schedule once somebody has left, or their days begin at another time."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of an organisation."""

    id: UUID
    organisation_id: UUID
    handle: str
    name: str
    roles: frozenset[str]
    language: Language
    time_zone: str

    def may(self, role: Role) -> bool:
        return role in self.roles

    @property
    def only_audits(self) -> bool:
        """Whether it is an auditor and nothing else: who sees the log, and not what it is about."""
        return self.roles == {"auditor"}

    def today(self) -> date:
        """The date where the person is."""
        return datetime.now(ZoneInfo(self.time_zone)).date()


_COLUMNS = "p.id, p.organisation_id, p.handle, p.name, p.roles, p.language, p.time_zone"


def as_person(row: object) -> Person:
    """A row with the columns of a person."""
    return Person(
        id=row.id,  # type: ignore[attr-defined]
        organisation_id=row.organisation_id,  # type: ignore[attr-defined]
        handle=row.handle,  # type: ignore[attr-defined]
        name=row.name,  # type: ignore[attr-defined]
        roles=frozenset(row.roles),  # type: ignore[attr-defined]
        language=as_language(row.language),  # type: ignore[attr-defined]
        time_zone=row.time_zone,  # type: ignore[attr-defined]
    )


async def who(connection: AsyncConnection, sender: Sender) -> Person | None:
    """The active person behind an account, or None."""
    row = await fetch_one(
        connection,
        # across organisations: an account belongs to exactly one, and says which
        f"select {_COLUMNS} from accounts a join people p on p.id = a.person_id"  # noqa: S608
        " where a.platform = :platform and a.workspace = :workspace"
        " and a.external_id = :account and p.active",
        {"platform": sender.platform, "workspace": sender.workspace, "account": sender.account},
    )
    return as_person(row) if row else None


async def by_id(
    connection: AsyncConnection, organisation_id: UUID, person_id: UUID
) -> Person | None:
    """The active person of that id in the organisation."""
    return await _active(connection, organisation_id, "p.id = :value", person_id)


async def by_handle(
    connection: AsyncConnection, organisation_id: UUID, handle: str
) -> Person | None:
    """The active person of that handle in the organisation."""
    return await _active(connection, organisation_id, "p.handle = :value", handle)


async def _active(
    connection: AsyncConnection, organisation_id: UUID, where: str, value: UUID | str
) -> Person | None:
    row = await fetch_one(
        connection,
        f"select {_COLUMNS} from people p"  # noqa: S608
        f" where p.organisation_id = :organisation_id and {where} and p.active",
        {"organisation_id": organisation_id, "value": value},
    )
    return as_person(row) if row else None


async def names_of(
    connection: AsyncConnection, organisation_id: UUID, people: Sequence[UUID]
) -> list[str]:
    """The names of some people, in order, whether they are still active or not."""
    rows = await fetch_all(
        connection,
        "select name from people where organisation_id = :organisation_id and id = any(:people)"
        " order by name",
        {"organisation_id": organisation_id, "people": list(people)},
    )
    return [row.name for row in rows]


async def name_of(connection: AsyncConnection, organisation_id: UUID, person_id: UUID) -> str:
    """Somebody's name."""
    [name] = await names_of(connection, organisation_id, [person_id])
    return name


async def everyone(connection: AsyncConnection, organisation_id: UUID) -> list[Person]:
    """All active people of the organisation."""
    rows = await fetch_all(
        connection,
        f"select {_COLUMNS} from people p"  # noqa: S608
        " where p.organisation_id = :organisation_id and p.active order by p.handle",
        {"organisation_id": organisation_id},
    )
    return [as_person(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Account:
    """A person's identity on a platform. `listens` is false for that of a program of theirs."""

    person_id: UUID
    platform: str
    workspace: str
    external_id: str
    listens: bool

    @property
    def key(self) -> tuple[str, str, str]:
        return self.platform, self.workspace, self.external_id


async def accounts_of(
    connection: AsyncConnection, organisation_id: UUID, person_id: UUID
) -> list[Account]:
    """All accounts of a person, oldest first."""
    rows = await fetch_all(
        connection,
        "select person_id, platform, workspace, external_id, listens from accounts"
        " where organisation_id = :organisation_id and person_id = :person_id order by created_at",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    return [Account(**row._asdict()) for row in rows]


HANDLE_TAKEN = Words(
    ja="「{handle}」という名前の人がすでにいます。",
    en="There is already someone called “{handle}”.",
    zh="已有名为“{handle}”的人。",
)
ROLE_UNKNOWN = Words(
    ja="役割「{role}」はありません。使えるもの: {known}",
    en="There is no role “{role}”. Known roles: {known}",
    zh="没有角色“{role}”。可用: {known}",
)
ACCOUNT_TAKEN = Words(
    ja="このアカウントはすでに別の人に結び付いています: {account}",
    en="This account already belongs to someone: {account}",
    zh="该账号已关联到其他人: {account}",
)


async def add(
    work: Unit,
    organisation_id: UUID,
    handle: str,
    name: str,
    roles: frozenset[str],
    *,
    language: Language = "ja",
    time_zone: str | None = None,
    email: str | None = None,
    actor: Actor = SYSTEM,
) -> Person:
    """Add a person; without a time zone of their own, the organisation's is theirs. Raises Refused
    for a handle that is taken or a role that is unknown."""
    _check_roles(roles)
    if await by_handle(work.connection, organisation_id, handle):
        raise Refused(HANDLE_TAKEN.fill(handle=handle))
    row = await fetch_one(
        work.connection,
        "insert into people (id, organisation_id, handle, name, roles, language, time_zone,"
        " zone_chosen, email) select :id, o.id, :handle, :name, :roles, :language,"
        " coalesce(:time_zone, o.profile ->> 'time_zone', :anywhere), :zone_chosen, :email"
        " from organisations o where o.id = :organisation_id"
        " returning id, organisation_id, handle, name, roles, language, time_zone",
        {
            "id": new_id(),
            "organisation_id": organisation_id,
            "handle": handle,
            "name": name,
            "roles": sorted(roles),
            "language": language,
            "time_zone": time_zone,
            "anywhere": Company("").time_zone,
            "zone_chosen": time_zone is not None,
            "email": email,
        },
    )
    person = as_person(row)
    work.record(
        Event(
            organisation_id,
            person.id,
            Tag.PERSON_ADDED,
            {"handle": brief(handle), "roles": sorted(roles)},
            actor,
        )
    )
    await guarding.roles_given(work, organisation_id, person.id, name, roles)
    return person


async def change(
    work: Unit, person: Person, *, email: str | None, active: bool, actor: Actor = SYSTEM
) -> None:
    """Put what `person` says now in place of what is stored; the handle stays.

    `email` None leaves the address as it is. Somebody who is not `active` can do nothing any more.
    Raises Refused for a role that is unknown.
    """
    _check_roles(person.roles)
    before = await fetch_one(
        work.connection,
        "select roles from people where organisation_id = :organisation_id and id = :id"
        " for no key update",
        {"organisation_id": person.organisation_id, "id": person.id},
    )
    await execute(
        work.connection,
        "update people set name = :name, roles = :roles, language = :language,"
        " zone_chosen = zone_chosen or time_zone <> :time_zone, time_zone = :time_zone,"
        " email = coalesce(:email, email), active = :active"
        " where organisation_id = :organisation_id and id = :id",
        {
            "name": person.name,
            "roles": sorted(person.roles),
            "language": person.language,
            "time_zone": person.time_zone,
            "email": email,
            "active": active,
            "organisation_id": person.organisation_id,
            "id": person.id,
        },
    )
    roles = sorted(person.roles)
    data: dict[str, JSON] = {"handle": brief(person.handle), "roles": roles, "active": active}
    work.record(Event(person.organisation_id, person.id, Tag.PERSON_CHANGED, data, actor))
    if active and before is not None:
        gained = person.roles - {*before.roles}
        await guarding.roles_given(work, person.organisation_id, person.id, person.name, gained)
    await look_at(work, person.organisation_id, person.id)


async def look_at(work: Unit, organisation_id: UUID, person_id: UUID) -> None:
    """Have what waits for somebody looked at soon (core/approvals/delegating.py): they may have
    left."""
    await schedule.at(
        work,
        f"person:{person_id}",
        timedelta(0),
        CHANGED,
        organisation_id=organisation_id,
        subject_id=person_id,
    )


def _check_roles(roles: frozenset[str]) -> None:
    for role in sorted(roles - set(ROLES)):
        raise Refused(ROLE_UNKNOWN.fill(role=role, known=", ".join(ROLES)))


async def link(
    work: Unit, person: Person, account: Sender, *, listens: bool = True, actor: Actor = SYSTEM
) -> None:
    """Tie a platform's account to a person; `listens` as in Account.

    Raises Refused where it belongs to somebody else.
    """
    taken = Refused(ACCOUNT_TAKEN.fill(account=spell(account)))
    owner = await who(work.connection, account)
    if owner is not None and owner.id == person.id:
        return
    if owner is not None:
        raise taken
    try:
        await execute(
            work.connection,
            "insert into accounts"
            " (id, organisation_id, person_id, platform, workspace, external_id, listens)"
            " values (:id, :organisation_id, :person_id, :platform, :workspace, :account,"
            " :listens)",
            {
                "id": new_id(),
                "organisation_id": person.organisation_id,
                "person_id": person.id,
                "platform": account.platform,
                "workspace": account.workspace,
                "account": account.account,
                "listens": listens,
            },
        )
    except IntegrityError as error:
        raise taken from error
    work.record(
        Event(
            person.organisation_id,
            person.id,
            Tag.ACCOUNT_LINKED,
            {"account": brief(spell(account))},
            actor,
        )
    )
    if listens:
        await guarding.account_linked(work, person.organisation_id, person.id, person.name, account)


async def unlink(work: Unit, person: Person, account: Sender, *, actor: Actor = SYSTEM) -> None:
    """Cut the tie: whoever speaks from that account is nobody any more."""
    await execute(
        work.connection,
        "delete from accounts where organisation_id = :organisation_id"
        " and person_id = :person_id and platform = :platform and workspace = :workspace"
        " and external_id = :account",
        {
            "organisation_id": person.organisation_id,
            "person_id": person.id,
            "platform": account.platform,
            "workspace": account.workspace,
            "account": account.account,
        },
    )
    data: dict[str, JSON] = {"account": brief(spell(account))}
    work.record(Event(person.organisation_id, person.id, Tag.ACCOUNT_UNLINKED, data, actor))


def spell(sender: Sender) -> str:
    """An account in one word, as the log has it."""
    return f"{sender.platform}:{sender.workspace}:{sender.account}"
