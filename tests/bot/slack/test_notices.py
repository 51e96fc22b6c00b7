"""The buttons of a notice in Slack."""

from core.acknowledging import ACK
from core.messages import Button, Message
from core.notices import Notice, Recipient, publish
from core.ports import Place
from core.unit import unit
from tests.bot.slack.conftest import Office


async def test_a_press_under_a_notice_acknowledges_it(office: Office) -> None:
    organisation_id = office.organisation.id
    async with unit(office.house) as work:
        notice_id = await publish(
            work, organisation_id, Notice("alert.disk", (Recipient("role", "approver"),))
        )
    async with office.house.engine.begin() as connection:
        await connection.exec_driver_sql(
            "insert into dispatches (id, organisation_id, notice_id, person_id, channel, workspace,"
            " address, importance, state) select gen_random_uuid(), a.organisation_id,"
            f" '{notice_id}', a.person_id, a.platform, a.workspace, a.external_id, 1,"
            " case a.external_id when 'U2' then 'sent' else 'queued' end"
            " from accounts a where a.platform = 'slack' and a.external_id in ('U2', 'U3')"
        )
    place = Place(organisation_id, office.slack.home.team_id, "U2", None, "U2", direct=True)
    message = Message("Disk full", "Disk full", buttons=(Button(ACK, "I have it", str(notice_id)),))
    await office.outbound.send(place, message, "key-1")
    [posted] = office.saying(office.slack.home.dm("U2").id, "Disk full")
    await office.driver.click(posted, "I have it", user="U2")

    await office.slack.wait_for(lambda: "対応" in "".join(office.whispers("U2")))
    rows = await office.rows(
        "select d.state from notices n, dispatches d where n.acknowledged_by is not null"
        " order by d.state"
    )
    assert [row.state for row in rows] == ["dropped", "sent"]  # the other one is told nothing more
