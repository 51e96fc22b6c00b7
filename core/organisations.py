"""Organisations: the companies that share one installation and never see each other."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from audit.registry import brief
from core.codec import dump, load
from core.company import Company
from core.db import execute, fetch_all, fetch_one, from_json, to_json
from core.errors import Refused
from core.ids import new_id
from core.tags import Tag
from core.unit import Unit
from core.words import Words

_RULING = (
    "registration_number", "seal_sha256", "template_sha256", "expense_policy_sha256", "rounding",
    "prices_include_tax", "valid_days", "language", "time_zone",
)  # fmt: skip
"""The particulars that the log says in full: they rule what stands on a document."""

SLUG_TAKEN = Words(
    ja="組織「{slug}」はすでにあります。",
    en="There is already an organisation “{slug}”.",
    zh="组织“{slug}”已存在。",
)


@dataclass(frozen=True, slots=True)
class Organisation:
    """A company and what it says of itself."""

    id: UUID
    slug: str
    name: str
    company: Company


async def add(work: Unit, slug: str, company: Company) -> Organisation:
    """Add an organisation. Raises Refused where the slug is taken."""
    if await by_slug(work.connection, slug):
        raise Refused(SLUG_TAKEN.fill(slug=slug))
    organisation = Organisation(new_id(), slug, company.name, company)
    await execute(
        work.connection,
        # across organisations: it is only being made
        "insert into organisations (id, slug, name, profile)"
        " values (:id, :slug, :name, cast(:profile as jsonb))",
        {
            "id": organisation.id,
            "slug": slug,
            "name": company.name,
            "profile": to_json(dump(company)),
        },
    )
    work.record(
        Event(organisation.id, organisation.id, Tag.ORGANISATION_ADDED, {"slug": brief(slug)})
    )
    return organisation


async def by_slug(connection: AsyncConnection, slug: str) -> Organisation | None:
    """The organisation of that slug."""
    # across organisations: the slug says which
    row = await fetch_one(
        connection,
        "select id, slug, name, profile from organisations where slug = :slug",
        {"slug": slug},
    )
    return _organisation(row) if row else None


async def by_id(connection: AsyncConnection, organisation_id: UUID) -> Organisation:
    """The organisation of that id. Raises LookupError where there is none."""
    row = await fetch_one(
        connection,
        "select id, slug, name, profile from organisations where id = :organisation_id",
        {"organisation_id": organisation_id},
    )
    if row is None:
        raise LookupError(f"no organisation {organisation_id}")
    return _organisation(row)


async def every(connection: AsyncConnection) -> list[Organisation]:
    """All organisations of this installation, oldest first, for whoever operates it."""
    # across organisations: the operator's list
    rows = await fetch_all(
        connection, "select id, slug, name, profile from organisations order by created_at, id", {}
    )
    return [_organisation(row) for row in rows]


async def company_of(connection: AsyncConnection, organisation_id: UUID) -> Company:
    """What the organisation says of itself."""
    return (await by_id(connection, organisation_id)).company


async def change_company(
    work: Unit, organisation_id: UUID, company: Company, *, actor: Actor = SYSTEM
) -> None:
    """Put new particulars in place of the old; they count for what is laid out from now on."""
    old = await company_of(work.connection, organisation_id)
    await execute(
        work.connection,
        "update organisations set profile = cast(:profile as jsonb), name = :name"
        " where id = :organisation_id",
        {
            "organisation_id": organisation_id,
            "profile": to_json(dump(company)),
            "name": company.name,
        },
    )
    if company.time_zone != old.time_zone:
        await execute(
            work.connection,
            "update people set time_zone = :zone where organisation_id = :organisation_id"
            " and not zone_chosen",
            {"zone": company.time_zone, "organisation_id": organisation_id},
        )
    data = _facts(old, company)
    work.record(Event(organisation_id, organisation_id, Tag.COMPANY_CHANGED, data, actor))


def _facts(old: Company, new: Company) -> dict[str, JSON]:
    """What the log says of new particulars. Of a connector no more than its name: its settings may
    hold what is secret."""
    before, after = dump(old), dump(new)
    ruling: dict[str, JSON] = {name: after[name] for name in _RULING}
    return {
        **ruling,
        "name": brief(new.name),
        "changed": sorted(name for name, value in after.items() if value != before[name]),
        "price_list": (new.price_list or {}).get("connector"),
        "ledger": (new.ledger or {}).get("connector"),
    }


def _organisation(row: object) -> Organisation:
    profile = load(Company, from_json(row.profile))  # type: ignore[attr-defined]
    return Organisation(row.id, row.slug, row.name, profile)  # type: ignore[attr-defined]
