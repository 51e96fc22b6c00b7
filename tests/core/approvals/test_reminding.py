"""Deadlines in working days, the ladder of a route, and one reminder a day of all that waits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from core import organisations
from core.approvals.deadlines import CLOSES, OPENS, Calendar
from core.people import Person
from core.unit import unit
from tests.core.approvals.staff import asked, decide_by, hire, pass_by, seats, tags, turn_to
from tests.core.house import Office

TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
BOSS = 'who = [{ person = "boss" }]'
LADDER = (
    'ladder = [{ days = 1, do = "remind" }, { days = 2, do = "escalate" },'
    ' { days = 3, do = "delegate", to = "sato" }]'
)


async def above(office: Office, person: Person, superior: Person) -> None:
    await office.execute(
        f"update people set superior_id = '{superior.id}' where id = '{person.id}'"
    )


async def due(office: Office, task_id: UUID) -> datetime:
    row = await office.row(
        "select due_at from approval_stages where task_id = :id", {"id": task_id}
    )
    found: datetime = row.due_at
    return found


# Deadlines


def test_a_deadline_is_in_working_days_of_the_company_and_ends_where_the_day_ends_last() -> None:
    friday = datetime(2026, 12, 25, 10, tzinfo=TOKYO)
    tokyo = Calendar(("12-29", "2026-12-30"), (TOKYO,))

    assert tokyo.due(friday, 1) == datetime(2026, 12, 28, 18, tzinfo=TOKYO)
    assert tokyo.due(friday, 2) == datetime(2026, 12, 31, 18, tzinfo=TOKYO)
    assert tokyo.due(friday, 3) == datetime(2027, 1, 4, 18, tzinfo=TOKYO)
    both = Calendar((), (TOKYO, NEW_YORK))
    late = friday.replace(hour=23, minute=30)  # Friday morning in New York
    assert both.due(late, 1) == datetime(2026, 12, 28, 18, tzinfo=NEW_YORK)


async def test_a_step_is_due_where_its_holders_are(office: Office) -> None:
    await turn_to(office, "2026-11-26T23:30")  # a Thursday, in New York as well
    company = replace(office.organisation.company, closing_days=("2026-11-27",))
    async with unit(office.house) as work:
        await organisations.change_company(work, office.organisation.id, company)
    await hire(office, "york", zone="America/New_York")
    await decide_by(office, 'who = [{ person = "boss" }, { person = "york" }], days = 1')

    task = await asked(office)

    assert await due(office, task) == datetime(2026, 11, 30, 18, tzinfo=NEW_YORK)


@given(
    opened=st.integers(0, 6 * 365 * 24 * 60).map(
        lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    days=st.integers(1, 20),
    zones=st.sets(
        st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Pacific/Apia"]).map(
            ZoneInfo
        ),
        min_size=1,
    ),
)
@settings(max_examples=60)
def test_what_has_waited_is_told_within_working_hours_of_a_working_day(
    opened: datetime, days: int, zones: set[ZoneInfo]
) -> None:
    calendar = Calendar(("08-14",), tuple(zones))

    waited = calendar.waited(opened, days)

    assert waited >= opened
    assert any(
        calendar.works(waited.astimezone(zone).date())
        and OPENS <= waited.astimezone(zone).time() < CLOSES
        for zone in zones
    )
    assert calendar.due(opened, days) <= calendar.due(opened, days + 1)


# The ladder


async def test_a_step_that_nobody_decides_is_reminded_of_handed_up_and_handed_on(
    office: Office,
) -> None:
    await turn_to(office, "2026-11-25T10:00")
    await hire(office, "sato")
    await above(office, office.boss, office.other_boss)
    await decide_by(office, BOSS, LADDER)
    task = await asked(office)

    assert await turn_to(office, "2026-11-26T09:59") == []
    reminded = await turn_to(office, "2026-11-26T10:01")
    assert any(text.startswith("Waiting for your decision: 1") for text in reminded)
    assert await turn_to(office, "2026-11-27T09:59") == []
    assert await seats(office, task) == ["boss open"]
    handed = await turn_to(office, "2026-11-27T10:01")
    assert await seats(office, task) == ["other(boss) open"]
    assert any("Approval wanted" in text for text in handed)
    await turn_to(office, "2026-11-28T10:01")
    assert await seats(office, task) == ["other(boss) open"]
    await turn_to(office, "2026-11-30T10:01")
    assert await seats(office, task) == ["sato(boss) open"]

    refused = await office.click("approve", await office.approval_id(task), office.other_boss)
    assert refused.outcome == "refused"
    row = await office.row(
        "select array_agg(body -> 'data' ->> 'why' order by at) as all from audit_events"
        " where tag = 'approval:seat:moved'",
        {},
    )
    assert row.all == ["escalation", "ladder"]


async def test_whom_it_was_handed_up_to_has_a_delegate_as_well(office: Office) -> None:
    """What comes up goes to who acts for the superior, and back to them afterwards."""
    await turn_to(office, "2026-11-25T10:00")
    await hire(office, "sato")
    await above(office, office.boss, office.other_boss)
    await decide_by(office, BOSS, 'ladder = [{ days = 2, do = "escalate" }]')
    task = await asked(office)
    await office.say("delegate @sato 11/27", office.other_boss)

    await turn_to(office, "2026-11-27T10:01")
    assert await seats(office, task) == ["sato(boss) open"]
    await turn_to(office, "2026-11-28T00:01")
    assert await seats(office, task) == ["other(boss) open"]


async def test_where_nobody_can_take_it_over_an_admin_is_told(office: Office) -> None:
    await turn_to(office, "2026-11-25T10:00")
    await hire(office, "admin", "admin")
    await above(office, office.boss, office.asker)  # whose request it is
    await decide_by(office, BOSS, 'ladder = [{ days = 1, do = "escalate" }]')
    task = await asked(office)

    said = await turn_to(office, "2026-11-26T10:01")

    assert await seats(office, task) == ["boss open"]
    assert [text for text in said if "nobody can take over step “s1” of #1001" in text]
    assert await pass_by(office) == []


# Reminders


async def test_all_that_waits_is_in_one_message_a_day(office: Office) -> None:
    await turn_to(office, "2026-11-25T10:00")
    await decide_by(office, BOSS)
    first = await asked(office)
    await turn_to(office, "2026-11-25T15:00")
    await asked(office)

    said = await turn_to(office, "2026-11-26T10:01")

    [digest] = [text for text in said if text.startswith("Waiting for your decision: 2")]
    assert "#1001 Letter  Asker" in digest
    assert "since 2026-11-25 10:00 (until 2026-12-09 10:00)" in digest
    assert "#1002 Letter  Asker" in digest
    assert await tags(office, "approval:approval:reminded") == 2
    assert sum("Waiting for approval since" in text for text in said) == 2
    assert await turn_to(office, "2026-11-26T15:01") == []  # the second one is a day old now
    tomorrow = await turn_to(office, "2026-11-27T10:02")
    assert [text for text in tomorrow if text.startswith("Waiting for your decision: 2")]

    await office.click("approve", await office.approval_id(first), office.boss)
    await office.work()
    digests = [m for m in office.wall.posted.values() if m.title.startswith("Waiting for your")]
    assert all("#1001" not in message.text for message in digests)
    assert all("approved by Boss" in message.note for message in digests)


async def test_everybody_is_reminded_in_their_own_working_hours(office: Office) -> None:
    """A quiet night in Tokyo is a working day in New York."""
    await turn_to(office, "2026-11-25T10:00")
    await hire(office, "york", zone="America/New_York")
    await decide_by(office, 'who = [{ person = "york" }, { person = "boss" }]')
    await asked(office)

    day = await turn_to(office, "2026-11-26T10:01")  # 20:01 of the day before there
    night = await turn_to(office, "2026-11-26T23:01")

    rooms = office.wall.rooms
    waiting = {key for key, m in office.wall.posted.items() if m.title.startswith("Waiting for")}
    assert {rooms[key] for key in waiting} == {"boss", "york"}
    assert sum(text.startswith("Waiting for your") for text in day) == 1
    assert sum(text.startswith("Waiting for your") for text in night) == 1


async def test_what_is_decided_meanwhile_is_not_reminded_of(office: Office) -> None:
    await turn_to(office, "2026-11-25T10:00")
    await decide_by(office, BOSS)
    task = await asked(office)
    await office.click("approve", await office.approval_id(task), office.boss)
    await office.work()

    assert await turn_to(office, "2026-11-26T10:01") == []
    await asked(office)  # who has nothing more to decide is watched anew
    again = await turn_to(office, "2026-11-27T10:02")
    assert [text for text in again if text.startswith("Waiting for your decision: 1")]
