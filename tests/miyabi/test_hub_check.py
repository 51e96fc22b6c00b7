"""The doctor looks at the hub: what is off, given up, or not spoken to, and what to do about it."""

from core.unit import unit
from core.words import same
from miyabi.hub_check import look
from notifier.hub import places
from tests.core.conftest import office
from tests.core.house import Office

__all__ = ["office"]


async def test_what_is_stuck_is_told_with_what_to_do(office: Office) -> None:
    well = await look(office.house)
    place = places.made(office.organisation.id, "ops", "webhook", "https://hooks.example/")
    async with unit(office.house) as work:
        await places.add(work, office.house, place)
        await places.turn_off(work, place, same("HTTP 410"))
    await office.execute(
        "insert into circuits (organisation_id, provider, state, reason)"
        " select id, 'teams', 'open', 'HTTP 503' from organisations"
    )
    await office.execute(
        "insert into dispatches (id, organisation_id, notice_id, channel, address, importance,"
        " state, reason, permanent, dead_at) select gen_random_uuid(), organisation_id, id, 'x',"
        " 'y', 1, 'failed', 'gave_up', true, now() from notices"
    )
    found = await look(office.house)

    assert [each.well for each in well] == [True]
    told = [(each.what.en, each.fix.en if each.fix else "") for each in found]
    assert [each.well for each in found] == [False] * 3
    assert "teams (acme)" in told[0][0]
    assert "(acme): 1" in told[1][0]
    assert "HTTP 410" in told[2][0]
    assert "place test ops --org acme" in told[2][1]
