"""Routes in the database: the newest version counts, and a route is frozen from what is stored."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core import organisations, people
from core.agent import Agent
from core.approvals.freeze import freeze
from core.approvals.plan import Plan
from core.approvals.routes import all_stored, kinds_of, put, route_for
from core.company import Company
from core.errors import Refused
from core.house import House
from core.tags import Tag
from core.unit import unit
from tests.core.house import Office, letter_agent

OWN = """
# of the organisation
[routes.letter]
[[routes.letter.steps]]
name = "{name}"
who = [{{ person = "other" }}]

[routes.memo]
steps = [{{ name = "m", who = [{{ role = "approver" }}] }}]
"""
SAMPLE = """
[routes.letter]
steps = [{ name = "sample", who = [{ person = "boss" }], when = "pages > 3" }]
"""
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


async def _put(office: Office, source: str, *names: str) -> list[tuple[str, int]]:
    async with unit(office.house) as work:
        changed = await put(work, office.organisation.id, source, names)
    return [(each.name, each.version) for each in changed]


async def _freeze(
    office: Office, agent: Agent = letter_agent, version: int | None = None, **terms: int
) -> Plan:
    house: House = office.house
    async with house.engine.connect() as connection:
        return await freeze(
            connection, house, office.organisation.id, "letter", agent,
            office.asker.id, frozenset({office.asker.id}), terms, NOW, version=version,
        )  # fmt: skip


def _who(office: Office, plan: Plan) -> list[list[str]]:
    handles = {each.id: each.handle for each in (office.asker, office.boss, office.other_boss)}
    return [[handles[seat.holder] for seat in stage.seats] for stage in plan.stages]


async def test_without_a_route_any_approver_decides(office: Office) -> None:
    plan = await _freeze(office)

    assert (plan.route, plan.version) == ("letter", 0)
    assert _who(office, plan) == [["boss", "other"]]
    assert plan.stages[0].need == 1


async def test_the_newest_version_counts_and_older_ones_can_be_asked_for(office: Office) -> None:
    agent = replace(letter_agent, route=SAMPLE, own_terms={"pages": "number"})
    assert (await _freeze(office, agent, pages=4)).stages[0].name == "sample"

    assert await _put(office, OWN.format(name="one"), "letter", "memo") == [
        ("letter", 1),
        ("memo", 1),
    ]
    assert await _put(office, OWN.format(name="two"), "letter", "memo") == [("letter", 2)]
    assert await _put(office, OWN.format(name="two"), "letter", "memo") == []

    newest = await _freeze(office, agent)
    assert (newest.version, newest.stages[0].name) == (2, "two")
    assert _who(office, newest) == [["other"]]
    assert (await _freeze(office, agent, 1)).stages[0].name == "one"
    assert (await _freeze(office, agent, 0, pages=4)).stages[0].name == "sample"
    with pytest.raises(LookupError):
        await _freeze(office, agent, 3)

    assert await _put(office, "", "letter") == [("letter", 3)]
    assert (await _freeze(office, agent, pages=4)).version == 0
    events = [event for event in office.bell.events if event.tag is Tag.ROUTE_CHANGED]
    assert [(e.data["route"], e.data["version"], e.data["in_force"]) for e in events] == [
        ("letter", 1, True),
        ("memo", 1, True),
        ("letter", 2, True),
        ("letter", 3, False),
    ]


async def test_each_route_is_stored_by_itself(office: Office) -> None:
    await _put(office, OWN.format(name="one"), "letter", "memo")

    async with office.house.engine.connect() as connection:
        letter, memo = await all_stored(connection, office.organisation.id)
    assert letter.source.startswith("# of the organisation\n[routes.letter]")
    assert "memo" not in letter.source
    assert memo.source.startswith("[routes.memo]")


async def test_the_chart_is_read_with_superiors_posts_and_delegates(office: Office) -> None:
    org, boss, other = office.organisation.id, office.boss.id, office.other_boss.id
    await office.execute(
        f"update people set superior_id = '{boss}', department = 'sales'"
        f" where id = '{office.asker.id}'"
    )
    await office.execute(
        f"update people set department = 'sales', post = 'chief' where id = '{other}'"
    )
    await office.execute(
        "insert into delegations (id, organisation_id, person_id, delegate_id, since, until)"
        f" values ('{boss}', '{org}', '{boss}', '{other}',"
        " '2026-11-25', '2026-11-25')"
    )
    await _put(
        office,
        "[routes.letter]\nonce = false\nsteps = ["
        ' { name = "a", who = [{ superior = 1 }] },'
        ' { name = "b", who = [{ department = "requester", post = "chief" }] }]',
        "letter",
    )

    plan = await _freeze(office)

    seat = plan.stages[0].seats[0]
    assert (seat.person, seat.holder) == (boss, other)
    assert _who(office, plan) == [["other"], ["other"]]
    await office.execute("update delegations set revoked_at = now()")
    assert _who(office, await _freeze(office)) == [["boss"], ["other"]]


async def test_nobody_of_another_organisation_is_found(office: Office) -> None:
    await office.execute("update people set roles = '{requester}'")
    async with unit(office.house) as work:
        other = await organisations.add(work, "globex", Company("Globex"))
        await people.add(work, other.id, "stranger", "Stranger", frozenset({"approver"}))
        await put(work, other.id, OWN.format(name="theirs"), ["letter"])

    with pytest.raises(Refused):
        await _freeze(office)
    async with office.house.engine.connect() as connection:
        named = await route_for(connection, office.organisation.id, "letter", [letter_agent])
    assert named.version == 0


def test_conditions_may_ask_for_the_terms_of_the_agents_that_take_the_route() -> None:
    one = replace(letter_agent, own_terms={"pages": "number"})
    two = replace(letter_agent, name="two", steps=letter_agent.steps[:2], own_terms={"x": "text"})

    assert "pages" in kinds_of("letter", [one, two])
    assert "x" not in kinds_of("letter", [one, two])
    assert {"pages", "x", "amount"} <= kinds_of("memo", [one, two]).keys()
