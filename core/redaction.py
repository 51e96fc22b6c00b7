"""What is taken out of the live tables when somebody is erased, and why the rest stays.

docs/audit-erasure.md tells it table by table. Everything here may be done again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import drafts, kept_mail, kept_notices
from core.codec import dump
from core.db import execute, fetch_all, from_json, to_json
from core.house import House
from core.inbound import Sender
from core.messages import Message
from core.people import spell

BATCH = 500
"""Rows of one table that one transaction changes where names are looked for in texts."""

_SHORTEST_ID = 5
_SHORTEST_NAME = 3
"""Characters of what is looked for within texts: `林` is part of many a company's name."""


def pseudonym(person_id: UUID) -> str:
    """What an erased person is called: by the end of their id, which the log keeps."""
    return f"erased-{person_id.hex[-8:]}"


@dataclass(frozen=True)
class Erased:
    """Somebody to be erased, by all that they are known by. `begun`, `over`: how far it is."""

    id: UUID
    organisation_id: UUID
    handle: str
    name: str
    email: str
    accounts: Sequence[Sender]
    begun: bool = False
    over: bool = False

    @property
    def scope(self) -> dict[str, object]:
        return {"organisation_id": self.organisation_id, "person_id": self.id}

    @cached_property
    def names(self) -> Sequence[str]:
        """What says who they are wherever it stands in a text, the longest first."""
        ids = [each.account for each in self.accounts if each.account != self.handle]
        found = {self.email, *map(spell, self.accounts)}
        found |= {each for each in ids if len(each) >= _SHORTEST_ID}
        if len("".join(self.name.split())) >= _SHORTEST_NAME:
            found |= {self.name, "".join(self.name.split())}
        return sorted((each for each in found if each), key=len, reverse=True)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """A name of Latin letters is no part of a longer word; a Japanese one has no spaces."""
        names = "|".join(map(re.escape, self.names))
        return re.compile(rf"(?<![A-Za-z0-9])(?:{names})(?![A-Za-z0-9])", re.IGNORECASE)

    def without(self, value: Any) -> Any:
        """Texts, and the values of JSON, without their names."""
        if isinstance(value, str):
            new = pseudonym(self.id)
            return new if value == self.handle else self._pattern.sub(new, value)
        if isinstance(value, list):
            return [self.without(each) for each in value]
        if isinstance(value, dict):
            return {name: self.without(each) for name, each in value.items()}
        return value


# Tasks of their own: all that was asked, said and worked out. What an issued document was made of
# (its steps) stays with the document.

_GONE = to_json(dump(Message("—")))
"""What stands for a message that was taken out."""

_OWN = """select t.id from tasks t where t.organisation_id = :organisation_id
    and t.person_id = :person_id"""
_ISSUED = """exists (select from documents d where d.organisation_id = :organisation_id
    and d.task_id = s.task_id)"""  # of rows `s`
# Tasks that hold words of theirs: why they decided so or voided a document, what they said of it.
_REASONED = """select a.task_id from approvals a join decisions d on d.approval_id = a.id
    where a.organisation_id = :organisation_id and d.person_id = :person_id and d.reason <> ''
    union all select d.task_id from documents d where d.organisation_id = :organisation_id
    and d.voided_by = :person_id and d.void_reason <> ''
    union all select n.task_id from approval_notes n where n.organisation_id = :organisation_id
    and n.person_id = :person_id and n.text <> ''"""
_SAID = f"{_OWN} union all {_REASONED}"
# Conversations with somebody who is erased: nothing is said there any more (notifier/targets.py).
_SILENT = """select h.id from threads h where h.organisation_id = :organisation_id
    and h.channel = ''"""

_ON_ITS_WAY = """(n.routed_at is null or exists (select from deliveries d
    where d.organisation_id = :organisation_id and d.notification_id = n.id
    and d.state in ('pending', 'sending', 'unknown')))"""

_THEIRS: Sequence[str] = (
    """update attachments set name = '', reason = null, external_id = cast(id as text)
        where organisation_id = :organisation_id and person_id = :person_id and name <> ''""",
    # Where it was said stays, unless that is called by their account; then what it began with may
    # be as well (in mail, by an id of theirs).
    """update threads h set account = null, channel = case when h.person_id is not null
            or h.channel = h.account then '' else h.channel end,
            root = case when h.person_id is null and h.channel <> h.account then h.root end
        where h.organisation_id = :organisation_id and h.account is not null
        and (h.person_id = :person_id or exists (select from accounts a
            where a.organisation_id = :organisation_id and a.person_id = :person_id
            and a.platform = h.platform and a.workspace = h.workspace
            and a.external_id = h.account))""",
    f"""update revisions set ask = '{{}}' where organisation_id = :organisation_id
        and task_id in ({_OWN}) and ask <> '{{}}'""",  # noqa: S608
    f"""update steps s set result = '{{}}' where s.organisation_id = :organisation_id
        and s.task_id in ({_OWN}) and s.result <> '{{}}' and not {_ISSUED}""",  # noqa: S608
    f"""update claim_lines s set payee = '', payee_key = '', purpose = '', attendees = ''
        where s.organisation_id = :organisation_id and s.task_id in ({_OWN})
        and (s.payee <> '' or s.purpose <> '' or s.attendees <> '') and not {_ISSUED}""",  # noqa: S608
    # What is on its way, say that an approval is over, has to arrive; an answer need not.
    f"""update notifications n set facts = case when {_ON_ITS_WAY} then n.facts - 'answer'
            else '{{}}' end
        where n.organisation_id = :organisation_id and n.task_id in ({_SAID})
        and n.facts <> '{{}}' and (n.facts ? 'answer' or not {_ON_ITS_WAY})""",  # noqa: S608
    f"""update deliveries set state = 'superseded' where organisation_id = :organisation_id
        and thread_id in ({_SILENT}) and state in ('pending', 'sending')""",  # noqa: S608
    f"""update deliveries set error = null,
            body = case when body is not null then cast(:gone as jsonb) end
        where organisation_id = :organisation_id
        and (task_id in ({_SAID}) or thread_id in ({_SILENT}))
        and (error is not null or body <> cast(:gone as jsonb))""",  # noqa: S608
    # That there was a message stays: the log says so, too, and the two are compared.
    f"""update messages set body = cast(:gone as jsonb), body_sha256 = '', extra = '{{}}'
        where organisation_id = :organisation_id and body_sha256 <> ''
        and (task_id in ({_SAID}) or thread_id in ({_SILENT}))""",  # noqa: S608
    f"""update messages set channel = '' where organisation_id = :organisation_id
        and channel <> '' and thread_id in ({_SILENT})""",  # noqa: S608
    f"""update effects set error = null where organisation_id = :organisation_id
        and task_id in ({_OWN}) and error is not null""",  # noqa: S608
    """delete from bank_accounts where organisation_id = :organisation_id
        and person_id = :person_id""",
    "delete from link_codes where organisation_id = :organisation_id and person_id = :person_id",
    # What was delivered of their accounts, and what they were asked there.
    *(
        f"""delete from {table} s using accounts a where s.organisation_id = :organisation_id
            and a.organisation_id = :organisation_id and a.person_id = :person_id
            and s.platform = a.platform and s.workspace = a.workspace
            and s.account = a.external_id"""  # noqa: S608
        for table in ("arrivals", "prompts", "link_tries")
    ),
    "delete from inbound where organisation_id = :organisation_id and person_id = :person_id",
    """delete from idempotency_keys where organisation_id = :organisation_id
        and person_id = :person_id""",
    """update api_tokens set label = '', revoked_at = coalesce(revoked_at, now())
        where organisation_id = :organisation_id and person_id = :person_id
        and (label <> '' or revoked_at is null)""",
    """update decisions set reason = '' where organisation_id = :organisation_id
        and person_id = :person_id and reason <> ''""",
    """update approval_notes set text = '' where organisation_id = :organisation_id
        and person_id = :person_id and text <> ''""",
    f"""update links set name = '' where organisation_id = :organisation_id
        and (person_id = :person_id or task_id in ({_OWN})) and name <> ''""",  # noqa: S608
    """update documents set void_reason = '' where organisation_id = :organisation_id
        and voided_by = :person_id and void_reason <> ''""",
    *kept_mail.THEIRS,
    *kept_notices.THEIRS,
    # The last: by this it is known of a task that all of it was taken out.
    """update tasks set text = '', question = null, failure = null, redacted = 'whole'
        where organisation_id = :organisation_id and person_id = :person_id
        and redacted is distinct from 'whole'""",
)

# Tasks of others: only the names, and none of what an issued document was made of.


@dataclass(frozen=True, slots=True)
class _Texts:
    """Columns of a table in which somebody may be named; `task` is the one that says of which task
    a row is a part that the log has a hash of."""

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    task: str = ""

    @property
    def select(self) -> str:
        """Rows of it that name somebody, after `where organisation_id = ...`."""
        spared = f" and not {_ISSUED}" if self.task else ""
        return (
            f"select {', '.join((*self.key, *self.columns))} from {self.table} s"  # noqa: S608
            f" where s.organisation_id = :organisation_id and {_named(self.columns)}{spared}"
        )


_JSON = frozenset(
    {
        "question", "failure", "ask", "result", "answer", "body", "facts", "instead", "why",
        "actions",
    }
)  # fmt: skip
_TEXTS = (
    _Texts("tasks", ("id",), ("text", "question", "failure")),
    _Texts("revisions", ("task_id", "revision"), ("ask",), task="task_id"),
    _Texts("steps", ("task_id", "revision", "name"), ("result",), task="task_id"),
    _Texts("inbound", ("id",), ("answer",)),
    _Texts("decisions", ("id",), ("reason",)),
    _Texts("approval_notes", ("id",), ("text",)),
    _Texts("messages", ("id",), ("body",)),
    _Texts("notifications", ("id",), ("facts",)),
    _Texts("attachments", ("id",), ("name",)),
    _Texts("deliveries", ("id",), ("body", "error", "instead")),
    _Texts("notices", ("id",), ("facts", "actions")),
    _Texts("dispatches", ("id",), ("body", "error", "instead", "why")),
    _Texts("documents", ("id",), ("void_reason",)),
    _Texts("links", ("id",), ("name",)),
    _Texts("mails", ("id",), ("subject",)),
    _Texts("chats", ("platform", "workspace", "channel"), ("name",)),
    _Texts(
        "claim_lines", ("claim_id", "place", "task_id"), ("payee", "purpose", "attendees"),
        task="task_id",
    ),
    _Texts("effects", ("id", "task_id"), ("result", "error"), task="task_id"),
)  # fmt: skip


def _named(columns: Sequence[str]) -> str:
    held = " or ".join(f"strpos(lower(cast({each} as text)), lower(one)) > 0" for each in columns)
    return f"exists (select from unnest(cast(:names as text[])) as one where {held})"


async def open_tasks_that_name(connection: AsyncConnection, person: Erased) -> Sequence[int]:
    """Open tasks of others that name them or hold words of theirs: what others are at work with
    is not changed."""
    rows = await fetch_all(
        connection,
        "select distinct t.reference from tasks t join revisions r on r.task_id = t.id"  # noqa: S608
        " where t.organisation_id = :organisation_id and t.person_id <> :person_id"
        " and t.state not in ('done', 'rejected', 'cancelled')"
        f" and ({_named(['t.text', 'r.ask'])} or t.id in ({_REASONED})) order by t.reference",
        {**person.scope, "names": person.names},
    )
    return [row.reference for row in rows]


async def redact(house: House, person: Erased) -> None:
    """Take out what there is. Each table is a transaction."""
    for texts in _TEXTS if person.names else ():
        await _without_names(house, person, texts)
    await drafts.forget(house, person.organisation_id, person.id)
    for statement in _THEIRS:
        async with house.engine.begin() as connection:
            values = {**person.scope, "gone": _GONE}
            await execute(connection, statement, values)


async def _without_names(house: House, person: Erased, texts: _Texts) -> None:
    """Put the pseudonym where a table's texts name them."""
    key = ", ".join(texts.key)
    after: dict[str, Any] = {}
    while True:
        beyond = f"and ({key}) > ({', '.join(f':{name}' for name in texts.key)})" if after else ""
        async with house.engine.begin() as connection:
            rows = await fetch_all(
                connection,
                # names organisation_id
                f"{texts.select} {beyond} order by {key} limit :batch for update",
                {**person.scope, "names": person.names, "batch": BATCH, **after},
            )
            for row in rows:
                await _rewritten(connection, person, texts, row._asdict())
        if len(rows) < BATCH:
            return
        after = {name: getattr(rows[-1], name) for name in texts.key}


async def _rewritten(
    connection: AsyncConnection, person: Erased, texts: _Texts, row: Mapping[str, Any]
) -> None:
    before = {name: from_json(row[name]) if name in _JSON else row[name] for name in texts.columns}
    after = {name: person.without(value) for name, value in before.items()}
    if after == before:  # it was part of a longer word
        return
    values = {
        name: to_json(value) if name in _JSON and value is not None else value
        for name, value in after.items()
    }
    changes = ", ".join(
        f"{name} = cast(:{name} as jsonb)" if name in _JSON else f"{name} = :{name}"
        for name in texts.columns
    )
    scope = {name: row[name] for name in texts.key}
    where = " and ".join(f"{name} = :{name}" for name in scope)
    await execute(
        connection,
        f"update {texts.table} set {changes}"  # noqa: S608
        f" where organisation_id = :organisation_id and {where}",
        {**person.scope, **values, **scope},
    )
    if texts.task:
        await execute(
            connection,
            "update tasks set redacted = 'names' where organisation_id = :organisation_id"
            " and id = :task_id and redacted is null",
            {"organisation_id": person.organisation_id, "task_id": row[texts.task]},
        )


async def end(connection: AsyncConnection, person: Erased) -> None:
    """The last step: their own row. Afterwards nothing tells any more who it was."""
    await execute(
        connection,
        "delete from accounts where organisation_id = :organisation_id and person_id = :person_id",
        person.scope,
    )
    await execute(
        connection,
        "update people set handle = :name, name = :name, email = null, roles = '{}',"
        " language = 'ja', time_zone = 'Asia/Tokyo', zone_chosen = false, department = '',"
        " post = '', grade = '', superior_id = null,"
        " active = false, erased_at = now()"
        " where organisation_id = :organisation_id and id = :person_id and erased_at is null",
        {**person.scope, "name": pseudonym(person.id)},
    )
