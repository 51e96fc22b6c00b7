"""Delegates: what moves to them, when it comes back, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.approvals.delegate_reading import people_in, read_period
from core.approvals.delegating import period
from tests.core.approvals.staff import (
    asked,
    decide_by,
    hire,
    pass_by,
    seats,
    tags,
    turn_to,
)
from tests.core.house import Office

BOSS = 'who = [{ person = "boss" }]'


async def test_what_waits_moves_at_the_start_and_comes_back_at_the_end(office: Office) -> None:
    await turn_to(office, "2026-11-25T10:00")
    await hire(office, "sato")
    await decide_by(office, f'{BOSS}\nwho = [{{ person = "other" }}]')
    task = await asked(office)

    told = await office.say("delegate @sato 11/27-11/28", office.boss)
    assert told.message is not None
    assert told.message.text == (
        "From 2026-11-27 00:00 to 2026-11-28 23:59 (Asia/Tokyo) Sato decides for Boss (all kinds)."
    )
    await turn_to(office, "2026-11-26T23:59")
    assert await seats(office, task) == ["boss open", "other todo"]
    await turn_to(office, "2026-11-27T00:01")
    assert await seats(office, task) == ["sato(boss) open", "other todo"]
    late = await asked(office)
    assert await seats(office, late) == ["sato(boss) open", "other todo"]
    await turn_to(office, "2026-11-28T23:59")
    assert await seats(office, task) == ["sato(boss) open", "other todo"]
    await turn_to(office, "2026-11-29T00:01")

    for each in (task, late):
        assert await seats(office, each) == ["boss open", "other todo"]
    assert await tags(office, "intake:delegation:made") == 1
    assert await tags(office, "approval:seat:moved") == 3
    boss_has = office.wall.texts("boss")
    assert sum("Approval wanted" in text for text in boss_has) == 2


async def test_today_it_moves_at_once_and_the_record_names_both(office: Office) -> None:
    await turn_to(office, "2026-11-25T10:00")
    sato = await hire(office, "sato")
    await decide_by(office, BOSS)
    task = await asked(office)
    approval = await office.approval_id(task)

    await office.say("代理 @sato 今日", office.boss)
    await pass_by(office)
    refused = await office.click("approve", approval, office.boss)
    done = await office.click("approve", approval, sato)
    await office.work()

    assert refused.message is not None
    assert refused.message.text == "This decision has passed to Sato."
    assert done.outcome == "done"
    row = await office.row(
        "select person_id, on_behalf_of, (select body -> 'data' ->> 'on_behalf_of' from"
        " audit_events where tag = 'approval:approval:decided') as said from decisions",
        {},
    )
    assert (row.person_id, row.on_behalf_of, row.said) == (
        sato.id,
        office.boss.id,
        str(office.boss.id),
    )
    card = next(m for m in office.wall.posted.values() if "Approval wanted" in m.text)
    assert "approved by Sato for Boss" in card.note


async def test_a_seat_stays_where_the_delegate_cannot_decide_and_whose_it_is_is_told(
    office: Office,
) -> None:
    """Who asked for it, who decides in another step, a step that is its own person's to decide."""
    await turn_to(office, "2026-11-25T10:00")
    await decide_by(office, f'{BOSS}\nwho = [{{ person = "other" }}]')
    own = await asked(office)
    await office.say("delegate @asker today", office.boss)
    said = await pass_by(office)
    assert await seats(office, own) == ["boss open", "other todo"]
    assert [text for text in said if "still waits for you: Asker, who acts" in text]

    await office.say("delegate revoke @asker", office.boss)
    await office.say("delegate @other today", office.boss)
    said = await pass_by(office)
    assert await seats(office, own) == ["boss open", "other todo"]
    assert [text for text in said if "still waits for you: Other, who acts" in text]

    await office.say("delegate revoke", office.boss)
    await decide_by(office, f"{BOSS}, delegable = false")
    final = await asked(office)
    await hire(office, "sato")
    await office.say("delegate @sato today", office.boss)
    said = await pass_by(office)
    assert await seats(office, final) == ["boss open"]
    assert await seats(office, own) == ["sato(boss) open", "other todo"]
    assert [text for text in said if "nobody else can decide this step" in text]
    assert await pass_by(office) == []


async def test_chains_end_after_three_and_never_go_round(office: Office) -> None:
    await turn_to(office, "2026-11-25T10:00")
    staff = [office.boss, *[await hire(office, handle) for handle in ("b", "c", "d", "e")]]
    await decide_by(office, BOSS)
    task = await asked(office)
    for person, to in zip(staff, "bcd", strict=False):
        made = await office.say(f"delegate @{to} 11/25-12/5", person)
        assert made.outcome == "done"
    await pass_by(office)
    assert await seats(office, task) == ["d(boss) open"]

    fourth = await office.say("delegate @e 12/5-12/9", staff[3])
    back = await office.say("delegate @boss 12/1", staff[2])
    later = await office.say("delegate @boss 12/6", staff[2])
    other_form = await office.say("delegate @sato 12/1 quot", office.boss)

    assert fourth.message is not None
    assert fourth.message.text == ("It would be handed on more than 3 times: Boss → B → C → D → E")
    assert back.message is not None
    assert "go round in a circle: B → C → Boss → B" in back.message.text
    assert later.outcome == "done"
    assert other_form.outcome == "refused"
    await office.say("delegate revoke", staff[1])
    await pass_by(office)
    assert await seats(office, task) == ["b(boss) open"]


async def test_an_admin_decides_who_acts_for_whom_and_nobody_else_does(office: Office) -> None:
    await turn_to(office, "2026-11-25T10:00")
    admin = await hire(office, "admin", "admin")
    await decide_by(office, BOSS)
    task = await asked(office)

    refused = await office.say("delegate @boss @other today", office.asker)
    await office.say("delegate @boss @other today letter", admin)
    await pass_by(office)
    listed = await office.say("delegate list", admin)

    assert refused.refusal == "not_allowed"
    assert await seats(office, task) == ["other(boss) open"]
    assert listed.message is not None
    assert listed.message.text == "Boss → Other: 2026-11-25 to 2026-11-25 (Letter)"
    assert await tags(office, "admin:delegation:made") == 1


async def test_what_dies_in_the_middle_goes_on_and_moves_each_seat_once(office: Office) -> None:
    await turn_to(office, "2026-11-25T10:00")
    await hire(office, "sato")
    await decide_by(office, BOSS)
    found = [await asked(office) for _ in range(3)]
    await office.say("delegate @sato today", office.boss)
    await office.execute_as_owner(
        "alter table approval_seats add constraint power_cut check"
        f" (task_id <> '{found[1]}' or holder_id = person_id)"
    )
    with capture_logs():  # a traceback with all that it holds takes long to print
        await pass_by(office)
    assert [await seats(office, task) for task in found] == [
        ["sato(boss) open"], ["boss open"], ["sato(boss) open"],
    ]  # fmt: skip

    await office.execute_as_owner("alter table approval_seats drop constraint power_cut")
    await office.execute(
        "update schedule set done_at = null, next_at = now() where kind = 'approval.settle'"
    )
    await pass_by(office)

    assert [await seats(office, task) for task in found] == [["sato(boss) open"]] * 3
    assert await tags(office, "approval:seat:moved") == 3


# Reading


def test_the_days_are_read_in_three_languages() -> None:
    today = date(2026, 11, 26)
    week = (date(2026, 12, 1), date(2026, 12, 5))
    for text, days in {
        "12/1-12/5": week,
        "12/1-5": week,
        "12月1日から5日まで": week,
        "Dec 1 to Dec 5": week,
        "12月1日到12月5日": week,
        "2026-12-01..2026-12-05": week,
        "12/28-1/3": (date(2026, 12, 28), date(2027, 1, 3)),
        "11/24-11/28": (today, date(2026, 11, 28)),
        "today": (today, today),
        "明日": (date(2026, 11, 27), date(2026, 11, 27)),
    }.items():
        found = read_period(text, today)
        assert found is not None
        assert (found.since, found.until) == days, text
    assert read_period("someday", today) is None
    assert people_in("<@U12|x> @佐藤、12/1") == (["<@U12|x>", "佐藤"], "   、12/1")


@given(
    day=st.dates(date(2020, 1, 1), date(2035, 1, 1)),
    days=st.integers(0, 40),
    zone=st.sampled_from(
        ["Asia/Tokyo", "Europe/Berlin", "America/Havana", "Africa/Cairo", "America/Santiago",
         "Pacific/Apia", "Australia/Lord_Howe", "America/St_Johns"]
    ).map(ZoneInfo),
)  # fmt: skip
@settings(max_examples=80)
def test_it_counts_from_the_first_moment_of_the_first_day_to_the_last_of_the_last(
    day: date, days: int, zone: ZoneInfo
) -> None:
    until = day + timedelta(days=days)
    begin, end = period(day, until, zone)

    def there(moment: datetime) -> date:
        return moment.astimezone(zone).date()

    second = timedelta(seconds=1)
    assert there(begin - second) < day == there(begin)
    assert there(end - second) == until < there(end)
    assert begin.tzinfo is UTC
