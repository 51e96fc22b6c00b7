"""What people do with approvals from the chat, and what the card shows of it."""

from uuid import UUID

import pytest

from core import people
from core.approvals.routes import put
from core.inbound import Answer, Sender
from core.messages import Message
from core.people import Person
from core.unit import unit
from tests.core.house import Office

_ROUTE = """
[routes.letter]
inform = [{ person = "clerk", confirm = true }]
[[routes.letter.steps]]
name = "Head"
who = [{ person = "boss" }]
[[routes.letter.steps]]
name = "Accounts"
who = [{ person = "other" }, { person = "clerk" }]
need = 1
days = 2
[[routes.letter.steps]]
name = "Director"
who = [{ person = "director" }]
"""


class Firm:
    """The office with a route of three steps, and its people by handle."""

    def __init__(self, office: Office, people: dict[str, Person]) -> None:
        self.office = office
        self.people = people

    async def asked(self, text: str = "letter hello") -> UUID:
        """A request whose first step waits; gives the task."""
        answer = await self.office.say(text, thread="t")
        await self.office.work()
        assert answer.task_id is not None
        return answer.task_id

    async def say(self, who: str, words: str) -> str:
        """What somebody is answered, with the work done that follows."""
        answer = await self.office.say(words, self.people[who])
        await self.office.work()
        return answer.message.text if answer.message else ""

    async def press(self, who: str, action: str, reason: str = "") -> Answer:
        """Press a button of the newest card in somebody's own conversation."""
        button = next(b for b in self.card(who).buttons if b.action == action)
        answer = await self.office.click(action, button.value, self.people[who], reason)
        await self.office.work()
        return answer

    def cards(self, room: str) -> list[Message]:
        wall = self.office.wall
        return [
            message
            for key, message in wall.posted.items()
            if wall.rooms[key] == room and message.title.startswith(("Approval wanted", "承認の"))
        ]

    def card(self, room: str) -> Message:
        return self.cards(room)[-1]

    def section(self, room: str, label: str) -> str:
        found = [each.value for each in self.card(room).sections if each.label == label]
        return found[0] if found else ""


@pytest.fixture
async def firm(office: Office) -> Firm:
    async with unit(office.house) as work:
        found = {"asker": office.asker, "boss": office.boss, "other": office.other_boss}
        for handle in ("clerk", "director", "helper"):
            person = await people.add(
                work, office.organisation.id, handle, handle.title(), frozenset({"approver"}),
                language="en",
            )  # fmt: skip
            await people.link(work, person, Sender("wall", "w1", handle))
            found[handle] = person
        await put(work, office.organisation.id, _ROUTE, ["letter"])
    office.bell.events.clear()
    return Firm(office, found)


async def test_a_route_is_walked_and_shown_as_a_line_of_steps(firm: Firm) -> None:
    task_id = await firm.asked()
    first = await firm.say("asker", "route #1001")
    assert "◐ Head: waits for Boss → ○ Accounts: " in first
    assert "→ ○ Director: Director" in first
    await firm.press("boss", "approve")

    line = await firm.say("asker", "承認経路 #1001")

    assert line.count("✓ Head: Boss ") == 1
    assert "(wall) → ◐ Accounts: waits for " in line
    assert "due " in line
    assert "letter 2/3" in " ".join(
        step.label.replace("approve", "letter")
        for message in firm.office.wall.posted.values()
        for step in message.progress
    )
    await firm.press("other", "approve")
    await firm.press("director", "approve")
    assert await firm.office.state(task_id) == "done"
    for room in ("room", "boss", "other", "clerk", "director"):
        assert not any(card.buttons for card in firm.cards(room)), room
    steps = firm.section("room", "Steps of approval")
    assert [line[0] for line in steps.splitlines()] == ["✓", "✓", "✓"]


async def test_who_approved_last_takes_it_back_from_their_own_card(firm: Firm) -> None:
    await firm.asked()
    await firm.press("boss", "approve")
    assert [button.action for button in firm.card("boss").buttons] == ["undo"]

    taken = await firm.press("boss", "undo")

    assert taken.outcome == "done"
    assert {"approve", "reject", "return"} <= {b.action for b in firm.card("boss").buttons}
    assert not firm.card("other").buttons, "it is not their turn any more"
    await firm.press("boss", "approve")
    await firm.press("other", "approve")
    assert not firm.card("boss").buttons
    assert "no approval that you can take back" in await firm.say("boss", "undo #1001")


async def test_words_about_it_stand_on_the_card_and_the_answer_comes_back(firm: Firm) -> None:
    await firm.asked()
    await firm.press("boss", "question", "for whom? <!channel>")
    await firm.say("boss", "コメント #1001 looks fine")
    assert "no answer yet" in firm.section("boss", "Comments and questions")

    answer = await firm.office.say("for 3 people", thread="t", addressed=False)
    await firm.office.work()

    assert answer.outcome == "done"
    said = firm.section("boss", "Comments and questions")
    assert "asks: for whom? <!channel>\n　↳ answer: for 3 people" in said
    assert "looks fine" in said
    ignored = await firm.office.say("nobody asked", thread="t", addressed=False)
    assert ignored.outcome == "ignored"
    assert "take part" in await firm.say("helper", "comment #1001 me too")


async def test_approvers_are_added_and_decisions_passed_on(firm: Firm) -> None:
    await firm.asked()
    added = await firm.press("boss", "add", "@helper")
    assert added.message is not None
    assert "Helper has to approve as well" in added.message.text
    assert "Helper [added]" in await firm.say("boss", "route 1001")
    assert "nobody called" in await firm.say("boss", "add #1001 @nobody")
    await firm.press("helper", "approve")
    assert "what to say" in await firm.say("boss", "forward #1001 @helper")

    await firm.press("boss", "approve")
    passed_on = await firm.press("other", "forward", "@helper please look")

    assert passed_on.outcome == "refused", "nobody decides twice"
    async with unit(firm.office.house) as work:
        aide = await people.add(
            work, firm.office.organisation.id, "aide", "Aide", frozenset({"approver"})
        )
        await people.link(work, aide, Sender("wall", "w1", "aide"))
    assert (await firm.press("other", "forward", "@aide please look")).outcome == "done"
    assert "Aide" in (await firm.say("boss", "route #1001"))
    assert "please look" in firm.section("boss", "Comments and questions")


async def test_what_is_approved_goes_round_and_whoever_must_says_so(firm: Firm) -> None:
    await firm.asked()
    assert "not approved yet" in await firm.say("boss", "circulate #1001 @helper")
    for who in ("boss", "other", "director"):
        await firm.press(who, "approve")
    await firm.say("boss", "回覧 #1001 @helper")
    told = firm.office.wall.posted
    rounds = [m for m in told.values() if m.title.startswith("For information")]
    assert len(rounds) == 2
    assert [button.action for message in rounds for button in message.buttons] == ["seen"]

    assert "have seen it" in await firm.say("clerk", "seen #1001")

    shown = firm.section("room", "For information")
    assert "✓ Clerk  seen at" in shown
    assert "✓ Helper  told" in shown
    assert "not circulated to you" in await firm.say("director", "seen #1001")


async def test_an_old_card_brings_the_new_one_with_what_changed(firm: Firm) -> None:
    await firm.asked()
    old = next(b.value for b in firm.card("boss").buttons if b.action == "approve")
    await firm.say("asker", "revise #1001 goodbye")

    answer = await firm.office.click("approve", old, firm.people["boss"])

    assert answer.outcome == "refused"
    assert answer.message is not None
    assert "content has changed" in answer.message.text
    shown = {section.label: section.value for section in answer.message.sections}
    assert "Letter: hello → goodbye" in shown["Changed since revision 1"]
    button = next(b for b in answer.message.buttons if b.action == "approve")
    decided = await firm.office.click("approve", button.value, firm.people["boss"])
    assert decided.outcome == "done"


async def test_several_are_listed_once_and_each_decided_as_it_was_listed(firm: Firm) -> None:
    for text in ("letter one", "letter two", "letter three"):
        await firm.asked(text)
    listed = await firm.office.say("approve #1001 #1002 #1003 #9999", firm.people["boss"])
    assert listed.message is not None
    assert [line.name[:5] for line in listed.message.lines] == ["#1001", "#1002", "#1003"]
    assert "#9999: There is no task" in listed.message.note
    [confirm] = listed.message.buttons
    await firm.say("asker", "revise #1002 other")

    done = await firm.office.click(confirm.action, confirm.value, firm.people["boss"])
    await firm.office.work()

    assert done.message is not None
    assert "2 of 3 approved" in done.message.text
    assert "#1002: The content has changed" in done.message.text
    waits = await firm.office.row(
        "select array_agg(t.reference order by t.reference) as at from approval_stages s"
        " join tasks t on t.id = s.task_id where s.state = 'open' and s.place = 2",
        {},
    )
    assert waits.at == [1001, 1003]


async def test_several_are_confirmed_in_words_by_the_codes_of_the_list(firm: Firm) -> None:
    for text in ("letter one", "letter two"):
        await firm.asked(text)
    listed = await firm.say("boss", "approve #1001 #1002")
    words = listed.rpartition("“")[2].rstrip("”.")
    wrong = words.replace("#1001:", "#1001:0")[: len(words)]

    assert "0 of 2" in await firm.say("other", words)
    assert "2 of 2 approved" in await firm.say("boss", words)
    assert wrong != words


async def test_what_waits_is_listed_with_the_way_to_its_card(firm: Firm) -> None:
    assert "Nothing waits" in await firm.say("boss", "approvals")
    await firm.asked("letter =HYPERLINK()")

    listing = await firm.office.say("approvals", firm.people["boss"])

    assert listing.message is not None
    assert listing.message.title == "Waiting for you (1)"
    [show] = listing.message.buttons
    shown = await firm.office.click(show.action, show.value, firm.people["boss"])
    assert shown.message is not None
    assert {"approve", "reject", "return"} <= {b.action for b in shown.message.buttons}
    stranger = await firm.office.click(show.action, show.value, firm.people["helper"])
    assert stranger.outcome == "refused"


async def test_it_is_sent_back_to_a_step_by_its_number(firm: Firm) -> None:
    await firm.asked()
    await firm.press("boss", "approve")

    said = await firm.say("other", "差し戻し #1001 第1段階へ 金額を確認")

    assert "step 1" in said or "1 番目" in said
    line = await firm.say("asker", "route #1001")
    assert "◐ Head (time 2)" in line
    assert "Steps it can go back to" in await firm.say("boss", "return #1001 step 7 no")
