"""What guards accounts and what has failed is told by the hub, written with what happened."""

from dataclasses import replace
from typing import Any

from core import people
from core.db import from_json
from core.errors import Permanent
from core.inbound import Sender
from core.unit import unit
from core.words import same
from notifier.hub.fanning import fan_out_due
from tests.core.house import Office


async def told(office: Office) -> list[tuple[str, dict[str, Any], list[str]]]:
    """The topics, with their facts and who is told."""
    await fan_out_due(office.house)
    row = await office.row(
        "select coalesce(jsonb_agg(jsonb_build_array(n.topic, n.facts, array(select p.handle"
        " from dispatches d join people p on p.id = d.person_id where d.notice_id = n.id"
        " order by p.handle)) order by n.id), '[]') as every from notices n"
        " where n.organisation_id = :id",
        {"id": office.organisation.id},
    )
    return [(topic, facts, people) for topic, facts, people in from_json(row.every)]


async def test_another_account_is_told_to_its_person_and_the_first_to_nobody(
    office: Office,
) -> None:
    async with unit(office.house) as work:
        new = await people.add(work, office.organisation.id, "new", "New", frozenset({"requester"}))
        await people.link(work, new, Sender("wall", "w1", "new"))
        await people.link(work, new, Sender("mail", "", "new@example.com"))
    async with unit(office.house) as work:
        await people.link(work, office.asker, Sender("mail", "", "asker@example.com"))

    [(topic, facts, people_told)] = await told(office)
    assert topic == "security.account_linked"
    assert facts == {"account": "mail: asker@example.com", "person": office.asker.name}
    assert people_told == ["asker"]


async def test_who_becomes_an_admin_is_told_to_the_admins(office: Office) -> None:
    async with unit(office.house) as work:
        boss = replace(office.boss, roles=office.boss.roles | {"admin"})
        await people.change(work, boss, email=None, active=True)
        await people.change(work, boss, email=None, active=True)  # nothing new

    [(topic, facts, people_told)] = await told(office)
    assert (topic, facts["roles"], people_told) == ("security.role_given", ["admin"], ["boss"])


async def test_a_failure_is_told_to_whoever_asked_and_not_where_its_thread_is(
    office: Office,
) -> None:
    async with unit(office.house) as work:
        await people.link(work, office.asker, Sender("email", "", "asker@example.com"))
    office = replace(
        office,
        house=replace(office.house, outbounds={"wall": office.wall, "email": office.wall}),
    )
    for _ in range(2):
        office.trouble.errors = [Permanent(same("broken"))]
        await office.say("letter hello")
        await office.work()
    await fan_out_due(office.house)

    row = await office.row(
        "select n.facts, n.count as times, (select jsonb_agg(d.channel) from dispatches d"
        " where d.notice_id = n.id) as channels from notices n where n.organisation_id = :id"
        " and n.topic = 'task.failed' and n.head_id is null",
        {"id": office.organisation.id},
    )
    facts = from_json(row.facts)
    assert (facts["failure"]["en"], facts["title"]["en"], row.times) == ("broken", "Letter", 2)
    assert from_json(row.channels) == ["email"]
