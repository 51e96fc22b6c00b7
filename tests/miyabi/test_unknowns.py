"""What the doctor says of messages and acts of unknown outcome."""

from collections.abc import AsyncIterator

import pytest

from miyabi.unknowns import outcomes
from tests.core.house import Office, open_office
from tests.core.post import BLIND, open_post


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with open_office(database_url) as office:
        yield office


async def test_what_nobody_knows_is_counted_with_its_tasks(office: Office) -> None:
    outside = open_post(office, BLIND)
    outside.after = [ConnectionResetError()]
    well = await outcomes(office.house)
    act = await office.say("parcel hello")
    await office.work()
    letter = await office.say("letter hello")
    await office.work()
    await office.execute(
        "update deliveries set state = 'unknown' where id = (select d.id from deliveries d"
        f" join tasks t on t.id = d.task_id where t.reference = {letter.reference} limit 1)"
    )

    found = await outcomes(office.house)

    assert (well.well, well.fix) == (True, None)
    assert (found.well, found.what.en) == (False, "Outcome unknown: 1 messages, 1 acts")
    assert found.fix is not None
    assert found.fix.en.endswith(f": #{act.reference} (acme), #{letter.reference} (acme)")
