"""Colleagues who are known by where they write from: they become people of the organisation.

Whoever calls this has made sure that the account is theirs, and that it is of a kind that an admin
lets in (a mail domain, say). They may ask, and nothing else; the admins are told of each.
"""

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit.event import Actor
from core import people, schedule, tasks
from core.approvals.telling import admins, tell_people
from core.db import execute, fetch_all, fetch_one
from core.errors import Refused
from core.house import House
from core.inbound import Sender, storable
from core.people import Person, as_person, spell
from core.schedule import Occurrence
from core.tasks import Task
from core.unit import Unit
from core.words import Language, Words

JOINED = "person.joined"
"""What is done by the schedule once somebody has joined."""

LONGEST = 60
"""Characters of a name that are kept: documents and cards show it."""

_SOON, _LATER, _WATCHED = timedelta(seconds=10), timedelta(minutes=15), timedelta(days=1)

LEFT = Words(
    ja="{account} は退職などで使えなくなったアカウントです。",
    en="{account} is the account of somebody who has left.",
    zh="{account} 是已离职人员的账号。",
)
NEWS = Words(
    ja=(
        "{who}（{account}）さんが、許可されたドメインからの最初の依頼で依頼者として登録されました。"
        "心当たりがなければ「miyabi people set {handle} active=no」で止められます。"
    ),
    en=(
        "{who} ({account}) wrote from a domain that may, and is a requester from now on. "
        "“miyabi people set {handle} active=no” undoes that."
    ),
    zh=(
        "{who}（{account}）从允许的域名首次提出申请，已登记为申请人。"
        "如有疑问，可用“miyabi people set {handle} active=no”停用。"
    ),
)


async def join(
    work: Unit, organisation_id: UUID, sender: Sender, name: str, language: Language
) -> Person:
    """Whose account it is: who had it before, or whom an admin knows by this address, or a new
    requester. `name` is what the sender calls themselves, or nothing.

    Raises Refused where it was the account of somebody who has left.
    """
    lock = f"joining:{spell(sender)}"  # several at once would be several people
    await execute(
        work.connection, "select pg_advisory_xact_lock(hashtextextended(:lock, 0))", {"lock": lock}
    )
    known = await people.who(work.connection, sender)
    if known is not None and known.organisation_id == organisation_id:
        return known
    actor_of = spell(sender)
    found = await _by_address(work, organisation_id, sender.account)
    if any(not row.active for row in found) or await _had_one(work, sender):
        raise Refused(LEFT.fill(account=sender.account))
    if len(found) == 1:
        person = as_person(found[0])
        await people.link(work, person, sender, actor=Actor(person.id, actor_of, sender.platform))
        return person
    handle = await _handle(work, organisation_id, sender.account)
    person = await people.add(
        work, organisation_id, handle, _name(name) or handle, frozenset({"requester"}),
        language=language, email=sender.account,
    )  # fmt: skip
    await people.link(work, person, sender, actor=Actor(person.id, actor_of, sender.platform))
    await schedule.at(
        work, f"joined:{person.id}", _SOON, JOINED,
        organisation_id=organisation_id, subject_id=person.id,
    )  # fmt: skip
    return person


async def tell(house: House, work: Unit, occurrence: Occurrence) -> datetime | None:
    """Tell the admins who has joined, beside the first thing that they asked for."""
    organisation_id, person_id = occurrence.organisation_id, occurrence.subject_id
    assert organisation_id is not None  # noqa: S101  # as it was written above
    row = await fetch_one(
        work.connection,
        "select p.handle, p.name, p.email, p.created_at, (select t.id from tasks t"
        " where t.organisation_id = :organisation_id and t.person_id = p.id"
        " order by t.created_at limit 1) as task_id from people p"
        " where p.organisation_id = :organisation_id and p.id = :person_id and p.active",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    if row is None:
        return None
    if row.task_id is None:
        watched = occurrence.now < row.created_at + _WATCHED
        return occurrence.now + _LATER if watched else None
    await _tell(work, await tasks.lock(work.connection, organisation_id, row.task_id), row)
    return None


async def _tell(work: Unit, task: Task, row: Any) -> None:
    told = await admins(work.connection, task.organisation_id)
    words = NEWS.fill(who=row.name, account=row.email, handle=row.handle)
    await tell_people(work, task, told, f"joined:{task.person_id}", words)


async def _by_address(work: Unit, organisation_id: UUID, address: str) -> list[Any]:
    """Whom an admin knows by this address, also who has left."""
    rows = await fetch_all(
        work.connection,
        "select id, organisation_id, handle, name, roles, language, time_zone, active from people"
        " where organisation_id = :organisation_id and lower(email) = lower(:address)",
        {"organisation_id": organisation_id, "address": address},
    )
    return list(rows)


async def _had_one(work: Unit, sender: Sender) -> bool:
    row = await fetch_one(
        work.connection,
        # across organisations: an account belongs to exactly one; also of who has left
        "select 1 from accounts where platform = :platform and workspace = :workspace"
        " and external_id = :account",
        {"platform": sender.platform, "workspace": sender.workspace, "account": sender.account},
    )
    return row is not None


async def _handle(work: Unit, organisation_id: UUID, account: str) -> str:
    """What comes before the @, or that with a number where somebody is called so."""
    wanted = re.sub(r"[^a-z0-9._-]", "", account.partition("@")[0].lower())[:40] or "guest"
    rows = await fetch_all(
        work.connection,
        "select handle from people where organisation_id = :organisation_id"
        " and starts_with(handle, :wanted)",
        {"organisation_id": organisation_id, "wanted": wanted},
    )
    taken = {row.handle for row in rows}
    free = (wanted if n == 1 else f"{wanted}-{n}" for n in range(1, len(taken) + 2))
    return next(handle for handle in free if handle not in taken)


def _name(text: str) -> str:
    """A name as it may be shown: one line, nothing that hides or turns what stands beside it."""
    shown = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in storable(text))
    return " ".join(shown.split())[:LONGEST].strip()
