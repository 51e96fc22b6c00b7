"""Approvals that nobody decides: they are reminded of, and they expire."""

from datetime import datetime
from uuid import UUID

from core.reconcile import reconcile
from tests.core.clock import set_clock
from tests.core.house import Office


async def asked(office: Office) -> tuple[UUID, UUID]:
    answer = await office.say("letter hello", thread="t")
    await office.work()
    assert answer.task_id is not None
    return answer.task_id, await office.approval_id(answer.task_id)


async def planned(office: Office, subject: UUID) -> dict[str, datetime]:
    row = await office.row(
        "select jsonb_object_agg(kind, due_at) as rows from schedule"
        " where subject_id = :id and done_at is null",
        {"id": subject},
    )
    return {kind: datetime.fromisoformat(at) for kind, at in (row.rows or {}).items()}


async def pass_time(office: Office, days: int) -> None:
    """As if the approvals and their rows in the schedule had been made so many days earlier."""
    await office.execute(f"update approvals set expires_at = expires_at - interval '{days} days'")
    await office.execute(
        f"update schedule set next_at = next_at - interval '{days} days' where kind like 'approv%'"
    )


async def test_an_approval_is_watched_from_the_moment_it_is_asked_for(office: Office) -> None:
    _, approval = await asked(office)

    row = await office.row("select expires_at from approvals", {})
    assert await planned(office, approval) == {"approval.expire": row.expires_at}
    for person in (office.boss, office.other_boss):
        assert set(await planned(office, person.id)) == {"approval.digest"}


async def test_it_expires_when_its_time_is_over_and_no_earlier(office: Office) -> None:
    task_id, _ = await asked(office)
    await pass_time(office, 13)
    await reconcile(office.house)
    assert await office.state(task_id) == "waiting:approval"

    await pass_time(office, 1)
    await reconcile(office.house)
    await office.work()

    assert await office.state(task_id) == "failed"
    assert "expired" in office.wall.showing("#1001 stopped by an error: This").text
    cards = [m for m in office.wall.posted.values() if "Approval wanted" in m.text]
    assert cards
    assert all(card.buttons == () for card in cards)
    tags = await office.row("select array_agg(tag) as all from audit_events", {})
    assert tags.all.count("approval:approval:expired") == 1


async def test_one_that_was_given_more_time_expires_later(office: Office) -> None:
    task_id, approval = await asked(office)
    await office.execute("update schedule set next_at = now() where kind = 'approval.expire'")
    await office.execute("update approvals set expires_at = expires_at + interval '7 days'")

    await reconcile(office.house)

    assert await office.state(task_id) == "waiting:approval"
    row = await office.row("select expires_at from approvals", {})
    assert (await planned(office, approval))["approval.expire"] == row.expires_at


async def test_a_decided_one_neither_expires_nor_is_reminded_of(office: Office) -> None:
    task_id, approval = await asked(office)
    await office.click("approve", approval, office.boss)
    await office.work()
    await pass_time(office, 20)

    await reconcile(office.house)

    assert await office.state(task_id) == "done"
    assert await planned(office, approval) == {}
    assert await planned(office, office.boss.id) == {}
    row = await office.row("select max(attempts) as failures from schedule", {})
    assert row.failures == 0


async def test_one_asked_for_before_there_was_a_schedule_expires_too(office: Office) -> None:
    task_id, _ = await asked(office)
    await office.execute("delete from schedule where kind like 'approval%'")
    await office.execute("update approvals set expires_at = now()")

    await reconcile(office.house)  # housekeeping finds it ...
    await reconcile(office.house)  # ... if not in the same pass

    assert await office.state(task_id) == "failed"


async def test_whoever_waits_for_since_before_there_were_digests_is_reminded(
    office: Office,
) -> None:
    await asked(office)
    await office.execute("delete from schedule where kind = 'approval.digest'")

    await reconcile(office.house)
    await reconcile(office.house)

    assert set(await planned(office, office.boss.id)) == {"approval.digest"}


async def test_the_house_tidies_up_by_itself(office: Office) -> None:
    await office.execute(
        "insert into schedule (name, due_at, next_at, kind, done_at)"
        " select 'x' || age, now(), now(), 'x', now() - make_interval(days => age)"
        " from unnest(array[1, 40]) age"
    )
    await reconcile(office.house)

    row = await office.row(
        "select (select array_agg(name) from schedule where kind = 'x') as schedule,"
        " (select count(*) from schedule where name = 'housekeeping' and done_at is null) as next",
        {},
    )
    assert (row.schedule, row.next) == (["x1"], 1)


# Reminders. 2025-11-21 is a Friday; the Monday after it is a holiday.


def tokyo(moment: str) -> datetime:
    return datetime.fromisoformat(f"2025-{moment}:00+09:00")


async def at_the_clock(office: Office, moment: str) -> list[str]:
    """Have it be that time in Tokyo, and do what is due; returns what was said to the boss."""
    await set_clock(office, tokyo(moment))
    before = set(office.wall.posted)
    await reconcile(office.house)
    await office.work()
    return [office.wall.posted[key].text for key in office.wall.posted if key not in before]


async def test_who_may_decide_is_reminded_daily_on_working_days(office: Office) -> None:
    await set_clock(office, tokyo("11-20T16:30"))
    await asked(office)

    said = [
        await at_the_clock(office, moment)
        for moment in (
            "11-21T16:00",  # not a day yet
            "11-21T16:31",
            "11-22T17:00",  # Saturday
            "11-24T10:00",  # a holiday
            "11-25T08:59",
            "11-25T09:01",
            "11-26T09:02",
        )
    ]

    assert [len(texts) for texts in said] == [0, 3, 0, 0, 0, 2, 2]
    # Threads are served at the same time: whose message comes first is chance.
    reminders = [text for text in said[1] if text.startswith("Waiting for your decision: 1")]
    assert len(reminders) == 2
    assert all("since 2025-11-20 16:30 (until 2025-12-04 16:30)" in text for text in reminders)
    assert sorted(said[5]) == sorted(reminders)
    tags = await office.row(
        "select array_agg(body -> 'data' ->> 'person') as all from audit_events"
        " where tag = 'approval:approval:reminded'",
        {},
    )
    assert sorted(tags.all) == sorted([str(office.boss.id), str(office.other_boss.id)] * 3)


async def test_nobody_is_reminded_in_the_evening(office: Office) -> None:
    await set_clock(office, tokyo("11-17T22:00"))
    await asked(office)

    assert await at_the_clock(office, "11-18T22:01") == []

    due = (await planned(office, office.boss.id))["approval.digest"]
    assert due == tokyo("11-19T09:00")


async def test_whoever_asked_sees_in_one_message_that_it_waits_and_for_whom(office: Office) -> None:
    await set_clock(office, tokyo("11-24T10:00"))
    await asked(office)
    await at_the_clock(office, "11-25T10:01")
    await at_the_clock(office, "11-26T10:02")

    told = office.wall.showing("Waiting for approval since 2025-11-24 10:00")

    assert "Reminded at 11-26 10:02: Boss、Other" in told.text


async def test_once_it_is_decided_the_reminders_say_so_and_no_more_come(office: Office) -> None:
    await set_clock(office, tokyo("11-24T10:00"))
    _, approval = await asked(office)
    await at_the_clock(office, "11-25T10:01")
    await office.click("approve", approval, office.boss)
    await office.work()

    reminders = [m for m in office.wall.posted.values() if " since 2025-11-24" in m.text]
    assert len(reminders) == 3
    assert all("approved by Boss" in message.note for message in reminders)
    assert await at_the_clock(office, "11-26T10:02") == []


async def test_a_reminder_that_comes_too_late_is_not_sent(office: Office) -> None:
    await set_clock(office, tokyo("11-24T10:00"))
    _, approval = await asked(office)
    await set_clock(office, tokyo("11-25T10:01"))
    await reconcile(office.house)  # it is written ...
    await office.click("approve", approval, office.boss)  # ... and decided before it is sent
    await office.work()

    assert not [m for m in office.wall.posted.values() if " since 2025-11-24" in m.text]
