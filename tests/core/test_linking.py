"""One-time codes: an account becomes somebody's once, in time, by who was told the code."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from core import accounts, housekeeping, organisations, people
from core.account_acts import read_switch
from core.company import Company
from core.inbound import Answer, Inbound, Sender, Spot
from core.intake import accept
from core.linking import MOST_TRIES, make_code, read_code
from core.links import make_link
from core.messages import Attachment
from core.people import Person
from core.schedule import run_due
from core.tags import Tag
from core.unit import unit
from tests.core.house import Office

STRANGER = Sender("wall", "w1", "stranger")


async def says(
    office: Office, words: str, sender: Sender = STRANGER, spot: Spot | None = None, **more: Any
) -> Answer:
    office.keys += 1
    more.setdefault("key", f"s-{office.keys}")
    return await accept(office.house, Inbound(sender, spot or Spot("room"), text=words, **more))


async def told(office: Office, person: Person) -> str:
    """The code that somebody is told."""
    answer = await office.say("連携", person)
    assert answer.private
    digits = "".join(each for each in said(answer).split("\n")[0] if each.isdigit())
    assert len(digits) == 8
    return digits


def said(answer: Answer) -> str:
    assert answer.message is not None
    return answer.message.text


async def tags(office: Office, *wanted: Tag) -> list[str]:
    async with office.house.engine.connect() as connection:
        rows = await connection.execute(
            text("select tag from audit_events where tag = any(:tags) order by at, id"),
            {"tags": list(wanted)},
        )
    return [row.tag for row in rows]


async def test_who_says_the_code_is_known_from_then_on(office: Office) -> None:
    code = await told(office, office.boss)

    linked = await says(office, f" {code[:4]} {code[4:]} ")
    asked = await says(office, "letter hello")

    assert linked.outcome == "done"
    assert "Boss, this account is linked" in said(linked)
    assert asked.outcome == "taken"
    row = await office.row("select person_id from tasks", {})
    assert row.person_id == office.boss.id
    found = await tags(office, Tag.CODE_MADE, Tag.ACCOUNT_LINKED)
    assert found[-2:] == [
        Tag.CODE_MADE,
        Tag.ACCOUNT_LINKED,
    ]


async def test_a_code_is_told_once_and_kept_nowhere_in_the_clear(office: Office) -> None:
    code = await told(office, office.boss)
    for table in ("link_codes", "inbound", "audit_events"):
        async with office.house.engine.connect() as connection:
            rows = await connection.execute(text(f"select cast(s as text) from {table} s"))
            assert not any(code in row[0] for row in rows)
    first = await office.say("link", office.boss, key="once")
    again = await office.say("link", office.boss, key="once")
    assert again.repeated
    assert "told once" in said(again)
    assert said(first) != said(again)


async def test_the_delivery_that_linked_is_no_request_when_it_comes_again(office: Office) -> None:
    code = await told(office, office.boss)
    answers = await asyncio.gather(*(says(office, code, key="k") for _ in range(3)))
    later = await says(office, code, key="k")
    assert {said(each) for each in [*answers, later]} == {said(later)}
    assert "is linked" in said(later)
    row = await office.row("select count(*) as n from tasks", {})
    assert row.n == 0


async def test_one_code_said_by_two_at_once_makes_one_known(office: Office) -> None:
    code = await told(office, office.boss)
    senders = [Sender("wall", "w1", f"stranger{n}") for n in range(4)]
    answers = await asyncio.gather(*(says(office, code, each) for each in senders))
    outcomes = sorted(each.outcome for each in answers)
    assert outcomes == ["done", "unknown_person", "unknown_person", "unknown_person"]
    row = await office.row(
        "select count(*) as n from accounts where external_id like 'stranger%'", {}
    )
    assert row.n == 1


async def test_a_code_that_does_not_hold_is_answered_with_why(office: Office) -> None:
    for change, says_so in (
        ("link_codes set expires_at = now()", "有効時間は終わって"),
        ("link_codes set used_at = now()", "すでに使われて"),
        ("link_codes set code_hash = cast(cast(id as text) as bytea)", "正しくありません"),
        ("people set active = false where handle = 'boss'", "正しくありません"),
    ):
        code = await told(office, office.boss)
        await office.execute(f"update {change}")
        answer = await says(office, code)
        assert answer.outcome == "unknown_person"
        assert says_so in said(answer), change


async def test_a_new_code_ends_the_one_before(office: Office) -> None:
    first, second = await told(office, office.boss), await told(office, office.boss)
    assert (await says(office, first)).outcome == "unknown_person"
    assert (await says(office, second)).outcome == "done"


async def test_after_five_tries_an_account_has_to_wait_and_is_told_until_when(
    office: Office,
) -> None:
    code = await told(office, office.boss)
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    answers = await asyncio.gather(*(says(office, wrong) for _ in range(MOST_TRIES + 2)))
    assert sum("まで受け付けません" in said(each) for each in answers) == 2
    assert "まで受け付けません" in said(await says(office, code))  # the right one neither
    other = await says(office, code, Sender("wall", "w1", "another"))
    assert other.outcome == "done"
    await office.execute("update link_tries set at = at - interval '11 minutes'")
    later = await told(office, office.boss)
    assert (await says(office, later)).outcome == "done"


async def test_a_code_holds_only_where_its_organisation_is(office: Office) -> None:
    async with unit(office.house) as work:
        rival = await organisations.add(work, "rival", Company("Rival"))
        spy = await people.add(work, rival.id, "spy", "Spy", frozenset({"requester"}))
        await people.link(work, spy, Sender("wall", "w2", "spy"))
    code = await told(office, office.boss)
    answer = await says(office, code, Sender("wall", "w2", "stranger"))
    nowhere = await says(office, code, Sender("wall", "w3", "stranger"))
    assert "正しくありません" in said(answer)
    assert "people link" in said(nowhere)  # a workspace of which nothing is known
    assert (await says(office, code)).outcome == "done"


async def test_a_stranger_is_told_how_to_become_known(office: Office) -> None:
    answer = await says(office, "hello there")
    assert answer.outcome == "unknown_person"
    assert "“link”" in said(answer)
    overheard = await says(office, "12345678", addressed=False)
    assert overheard.outcome == "ignored"


async def test_in_a_group_no_code_is_told(office: Office) -> None:
    sender = office.sender(office.boss)
    answer = await says(office, "link", sender, Spot("group", "group", flat=True))
    alone = await says(office, "link", sender, Spot("boss", "boss", flat=True))
    assert answer.outcome == "refused"
    assert "one-to-one" in said(answer)
    assert alone.private


async def test_a_program_neither_links_nor_cuts(office: Office) -> None:
    for words in ("link", "unlink"):
        answer = await says(office, words, office.sender(office.boss), by_program=True)
        assert answer.outcome == "refused"


async def test_who_cuts_an_account_is_nobody_there_in_every_process(office: Office) -> None:
    """Also where another process has met them: what it remembers is confirmed before it acts."""
    code = await told(office, office.boss)
    await says(office, code)
    elsewhere = replace(office.house, met={})
    await accept(elsewhere, Inbound(STRANGER, Spot("room"), "e-1", "letter one"))
    assert STRANGER in elsewhere.met

    cut = await says(office, "連携解除")
    asked = await accept(elsewhere, Inbound(STRANGER, Spot("room"), "e-2", "letter two"))

    assert cut.outcome == "done"
    assert asked.outcome == "unknown_person"
    assert await tags(office, Tag.ACCOUNT_UNLINKED) == [Tag.ACCOUNT_UNLINKED]
    row = await office.row("select count(*) as n from tasks", {})
    assert row.n == 1


async def test_the_last_account_is_cut_only_where_that_is_confirmed(office: Office) -> None:
    await office.execute("update people set roles = '{admin}' where handle = 'other'")
    warned = await office.say("unlink", office.other_boss)
    boss = await office.say("unlink", office.boss)
    assert "you are an admin" in said(warned)
    assert "last account" in said(boss)
    assert await tags(office, Tag.ACCOUNT_UNLINKED) == []
    assert (await office.say("unlink yes", office.boss)).outcome == "done"
    assert (await office.say("mine", office.boss)).outcome == "unknown_person"


async def test_an_account_is_noted_as_out_of_reach_once_and_back(office: Office) -> None:
    boss = office.sender(office.boss)
    asked = await office.say("letter hello")
    await office.work()
    found = []
    for act in (accounts.unreachable, accounts.unreachable, accounts.reachable, accounts.reachable):
        async with unit(office.house) as work:
            found.append(await act(work, boss))
            assert await act(work, STRANGER) is False
    assert found == [True, False, True, False]
    assert await tags(office, Tag.ACCOUNT_UNREACHABLE, Tag.ACCOUNT_REACHED) == [
        Tag.ACCOUNT_UNREACHABLE,
        Tag.ACCOUNT_REACHED,
    ]
    # What waits for them there is shown by their other accounts (notifier/targets.py).
    row = await office.row(
        "select array_agg(task_id) as tasks from notifications where topic = 'person.unreachable'",
        {},
    )
    assert row.tasks == [asked.task_id]


async def test_an_account_says_whether_it_is_told_of_endings(office: Office) -> None:
    assert "not told" in said(await office.say("endings", office.boss))
    for _ in range(2):
        await office.say("終了通知 オン", office.boss)
    assert "not told" not in said(await office.say("endings", office.boss))
    await office.say("结束通知 关", office.boss)
    assert len(await tags(office, Tag.ACCOUNT_CHANGED)) == 2
    row = await office.row("select bool_or(tells_ends) as any from accounts", {})
    assert row.any is False


async def test_an_admin_says_in_a_group_whether_amounts_are_shown(office: Office) -> None:
    sender, group = office.sender(office.boss), Spot("group", "group", flat=True)
    refused = await says(office, "金額表示 オン", sender, group)
    await office.execute("update people set roles = '{admin,approver}' where handle = 'boss'")
    nowhere = await says(office, "amounts on", sender, Spot("boss", "boss", flat=True))
    off = await says(office, "amounts off", sender, group)
    on = await says(office, "金額表示 オン", sender, group)
    shown = await says(office, "amounts", sender, group)
    assert [each.outcome for each in (refused, nowhere, off, on)] == [
        "refused", "refused", "done", "done",
    ]  # fmt: skip
    assert "are shown" in said(shown)
    row = await office.row("select platform, workspace, channel, amounts from chats", {})
    assert tuple(row) == ("wall", "w1", "group", True)
    assert len(await tags(office, Tag.CHAT_CHANGED)) == 1


async def test_what_is_long_over_is_forgotten(office: Office) -> None:
    """Codes, and what files were called that links have led to."""
    asked = await office.say("letter hello")
    assert asked.task_id is not None
    house = replace(office.house, public_url="https://miyabi.example")
    async with unit(house) as work:
        await make_code(work, house, office.boss)
        await make_code(work, house, office.asker)
        for name, days in (("old.pdf", -31), ("new.pdf", -1)):
            file = Attachment("1" * 64, name, "application/pdf")
            await make_link(
                work, house, office.organisation.id, asked.task_id, file, None, timedelta(days)
            )
    await office.execute(
        f"update link_codes set expires_at = now() - interval '2 days'"
        f" where person_id = '{office.boss.id}'"
    )
    await office.execute(
        "insert into schedule (name, due_at, next_at, kind)"
        f" values ('h', now(), now(), '{housekeeping.HOUSEKEEPING}')"
    )
    await run_due(office.house, {housekeeping.HOUSEKEEPING: housekeeping.tidy})
    row = await office.row("select count(*) as n from link_codes", {})
    assert row.n == 1
    row = await office.row("select array_agg(name order by name) as names from links", {})
    assert row.names == ["", "new.pdf"]


@given(st.text(max_size=30))
def test_no_text_breaks_what_is_read(words: str) -> None:
    code = read_code(words)
    assert code is None or (len(code) == 8 and code.isascii() and code.isdigit())
    read_switch(words)


def test_a_code_is_eight_digits_and_nothing_else() -> None:
    for words in ("12345678", "１２３４５６７８", "1234 5678", "1234-5678", " 12345678\n"):
        assert read_code(words) == "12345678"
    for words in ("1234567", "123456789", "#12345678", "12345678 please", "١٢٣٤٥٦٧٨", ""):
        assert read_code(words) is None
