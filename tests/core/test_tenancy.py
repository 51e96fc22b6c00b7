"""Organisations share an installation and never see each other."""

from core import organisations, people
from core.company import Company
from core.inbound import Click, Inbound, Sender, Spot
from core.intake import accept
from core.unit import unit
from tests.core.house import Office


async def test_another_organisations_task_looks_the_same_as_an_unknown_one(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.work()
    async with unit(office.house) as work:
        other = await organisations.add(work, "rival", Company("Rival"))
        spy = await people.add(
            work, other.id, "spy", "Spy", frozenset({"approver", "requester"}), language="en"
        )
        await people.link(work, spy, Sender("wall", "w2", "spy"))

    async def say(text: str, key: str) -> str:
        inbound = Inbound(Sender("wall", "w2", "spy"), Spot("room"), key, text)
        told = await accept(office.house, inbound)
        assert told.outcome in {"refused", "told"}
        assert told.message is not None
        return told.message.text

    theirs, nobodys = await say("status #1001", "a"), await say("status #9999", "b")
    assert theirs == nobodys.replace("9999", "1001")
    assert "no task" in (await say("status #1001", "e")).lower()
    for action in ("approve", "cancel", "retry", "void"):
        assert "no task" in (await say(f"{action} #1001 x", f"k-{action}")).lower()
    approval = await office.approval_id(answer.task_id)
    click = Inbound(
        Sender("wall", "w2", "spy"), Spot("room"), "click", click=Click("approve", str(approval))
    )
    assert (await accept(office.house, click)).outcome == "refused"
    assert await office.state(answer.task_id) == "waiting:approval"
