"""What came back after it was sent."""

from core.dispatches import came_back
from core.ids import new_id
from core.unit import unit
from core.words import same
from tests.core.house import Office
from tests.notifier.hub.climber import Hub

WHY = same("The mail came back.")


async def test_what_came_back_has_failed_for_good_and_is_said_once(office: Office) -> None:
    hub = Hub(office)
    notice_id = await hub.notice(office.boss)
    sent = await hub.dispatch(notice_id, office.asker, "sent")
    queued = await hub.dispatch(notice_id, office.asker)
    found = []
    for dispatch_id in (sent, sent, queued, new_id()):
        async with unit(office.house) as work:
            found.append(await came_back(work, office.organisation.id, dispatch_id, WHY))
    assert found == [True, False, False, False]
    row = await office.row(
        "select state, reason, permanent, error from dispatches where id = :id", {"id": sent}
    )
    assert row == ("failed", "bounced", True, WHY.en)
    assert (await hub.tags(notice_id)).count("notifier:dispatch:failed") == 1
