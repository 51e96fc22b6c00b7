"""What the house forgets by itself, and what it keeps."""

from core.housekeeping import BATCH
from core.inbound import Answer
from core.notices import Notice, Recipient, publish
from core.reconcile import reconcile
from core.unit import unit
from tests.core.house import Office

_OLD = f"""
    insert into inbound (id, organisation_id, platform, workspace, key, answer, received_at)
    select cast(rpad(lpad(to_hex(cast(extract(epoch from at) * 1000 as bigint)), 12, '0')
        || '7' || lpad(to_hex(n), 3, '0'), 32, '8') as uuid), o.id, 'wall', 'w1', 'old-' || n,
        '{{}}', at
    from organisations o, generate_series(1, {BATCH + 5}) n,
        lateral (select now() - interval '31 days' + n * interval '1 second' as at) moment
"""
_KEYS = """
    insert into idempotency_keys (organisation_id, person_id, key, fingerprint, created_at)
    select p.organisation_id, p.id, days, '-', now() - make_interval(days => days::integer)
    from people p, unnest(array['29', '31']) days where p.handle = 'asker'
"""


async def housekeep(office: Office) -> None:
    await office.execute("update schedule set next_at = now() where kind = 'housekeeping'")
    await reconcile(office.house)


async def count(office: Office, table: str) -> int:
    return int((await office.row(f"select count(*) as n from {table}", {})).n)


async def test_a_delivery_is_known_again_for_thirty_days(office: Office) -> None:
    first: Answer = await office.say("letter Hello", key="mine")
    await office.execute(_OLD)
    await office.execute(_KEYS)

    await housekeep(office)
    assert await count(office, "inbound") == 1 + 5  # a batch at a time
    await housekeep(office)

    assert await count(office, "inbound") == 1
    assert (await office.row("select key from idempotency_keys", {})).key == "29"
    again = await office.say("letter Hello", key="mine")
    assert (again.reference, again.repeated) == (first.reference, True)


async def test_what_was_told_over_a_year_ago_goes_and_what_waits_stays(office: Office) -> None:
    who = Recipient("person", str(office.boss.id))
    async with unit(office.house) as work:
        for topic in ("alert.disk", "alert.fan"):
            await publish(work, office.organisation.id, Notice(topic, (who,)))
    await office.execute(
        "update notices set fanned_at = now(), created_at = now() - interval '2 years'"
    )
    await office.execute(
        "insert into dispatches (id, organisation_id, notice_id, channel, address, importance,"
        " state, created_at) select gen_random_uuid(), organisation_id, id, 'wall', 'x', 2,"
        " case topic when 'alert.fan' then 'held' else 'sent' end, created_at from notices"
    )
    await housekeep(office)

    assert await count(office, "notices") == await count(office, "dispatches") == 1
    assert (await office.row("select topic from notices", {})).topic == "alert.fan"
