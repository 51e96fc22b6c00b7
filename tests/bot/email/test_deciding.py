"""What a reply decides: only what its first line plainly is, of what the letter showed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.email import boxes
from bot.email.boxes import Box
from bot.email.deciding import by_reply, read_decision, read_reply
from core.ids import new_id
from core.inbound import Answer, Sender, Spot
from core.unit import unit
from tests.core.house import Office, check_complete, check_events, open_office


@pytest.mark.parametrize(
    "line",
    [
        "承認", "承認します。", "承認いたします", "本件、承認します。", "ＯＫ", "OKです！", "ok",
        "同意します", "了承しました。", "Approved.", "I approve", "approve", "批准", "我同意",
        "決裁します", "  承認  ",
    ],
)  # fmt: skip
def test_an_approval_is_the_whole_line(line: str) -> None:
    decision = read_decision(line)
    assert decision is not None
    assert (decision.action, decision.reason) == ("approve", "")


@pytest.mark.parametrize(
    ("line", "action", "reason"),
    [
        ("却下 予算超過のため", "reject", "予算超過のため"),
        ("却下します。高すぎる", "reject", "高すぎる"),
        ("却下（理由: 重複）", "reject", "理由: 重複"),
        ("reject: too much", "reject", "too much"),
        ("Reject too much", "reject", "too much"),
        ("return please add the date", "return", "please add the date"),
        ("差戻し 数量を直して", "return", "数量を直して"),
        ("差し戻し：数量", "return", "数量"),
        ("差戻　数量", "return", "数量"),
        ("退回 数量", "return", "数量"),
        ("却下", "reject", ""),
        ("Send back, please add the date", "return", "please add the date"),
    ],
)
def test_the_other_two_have_a_reason(line: str, action: str, reason: str) -> None:
    decision = read_decision(line)
    assert decision is not None
    assert (decision.action, decision.reason) == (action, reason)


@pytest.mark.parametrize(
    "line",
    [
        "承認できません", "承認しません", "承認待ちですか？", "不承認", "承認してよいですか",
        "OK?", "OKですか", "ok, but cheaper", "not approved", "don't approve", "承認 #1042",
        "承認 0412", "了解です", "はい",
        "却下しないでください", "却下は不要", "却下 しないでください", "却下、ではない",
        "reject: don't!", "差戻し 不要です", "return - no, wait", "退回 请勿",
        "差し戻さないで", "不同意", "rejecting is not needed",
        "Returned goods are here", "rejected parts: 3", "お疲れ様です。承認します。",
        "> 承認", "",
        "承認\n却下", "承認または却下", "NO", "OKではない", "承 認", "再承認", "承認者は誰ですか",
    ],
)  # fmt: skip
def test_nothing_else_is_a_decision(line: str) -> None:
    assert read_decision(line) is None


def test_what_follows_is_the_reason_and_no_condition_is_left_out() -> None:
    fine = read_reply("\n承認します\n\nよろしくお願いします。")
    assert fine is not None
    assert (fine.action, fine.reason) == ("approve", "よろしくお願いします。")
    back = read_reply("差戻し\n単価が違います")
    assert back is not None
    assert (back.action, back.reason) == ("return", "単価が違います")
    assert read_reply("承認\nただし納期は1週間で") is None
    assert read_reply("却下\nしないでください") is None
    assert read_reply("OK\nbut only if it is cheaper") is None
    assert read_reply("お世話になっております。\n承認") is None


@settings(max_examples=100)
@given(
    st.sampled_from(["承認", "OK", "approve"]),
    st.text(min_size=1, max_size=20).filter(lambda said: any(each.isalnum() for each in said)),
)
def test_no_approval_has_anything_more_in_its_line(word: str, more: str) -> None:
    decision = read_decision(f"{word} {more}")
    assert decision is None or decision.action != "approve" or more.strip().lower() in {
        "です", "する",
    }  # fmt: skip


# What a letter showed


@dataclass(slots=True)
class Desk:
    """An office, a task that waits for its boss, and the letters that told them so."""

    office: Office
    box: Box
    task_id: UUID
    keys: int = 0

    async def letter(self, *, of_card: bool = True) -> UUID:
        """A letter to the boss that has shown the card as it stands; or anything else."""
        office, letter_id = self.office, new_id()
        await office.execute(
            "insert into letters (id, organisation_id, mailbox_id, task_id, person_id, recipient,"
            f" message_id, automatic, state) values ('{letter_id}', '{office.organisation.id}',"
            f" '{self.box.id}', '{self.task_id}', '{office.boss.id}', 'boss@acme.example',"
            f" '<{letter_id}@acme.example>', false, 'sent')"
        )
        if of_card:
            await office.execute(
                f"update deliveries set call = '{letter_id}' where id ="
                " (select d.id from deliveries d join threads h on h.id = d.thread_id"
                " where starts_with(d.slot, 'card:')"
                f" and h.person_id = '{office.boss.id}' and d.task_id = '{self.task_id}'"
                " order by d.id desc limit 1)"
            )
        return letter_id

    async def reply(self, words: str, letter: UUID | None, **more: int) -> Answer | None:
        decision = read_reply(words)
        assert decision is not None
        self.keys += 1
        office = self.office
        return await by_reply(
            office.house, decision, Sender("wall", "w1", "boss"),
            Spot("boss@acme.example", "<root@acme.example>"), f"mail-{self.keys}", self.task_id,
            office.boss.id, letter, **more,
        )  # fmt: skip

    async def state(self) -> str:
        await self.office.work()
        return await self.office.state(self.task_id)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with open_office(database_url) as office:
        agent = replace(office.house.agents["letter"], terms=lambda results: {"amount": 299_999})
        office.house = replace(office.house, agents={"letter": agent})
        box = Box(new_id(), office.organisation.id, office.organisation.slug, "q@acme.example")
        async with unit(office.house) as work:
            await boxes.add(work, office.house, box)
        answer = await office.say("letter hello")
        assert answer.task_id is not None
        await office.work()
        yield Desk(office, box, answer.task_id)
    await check_events(database_url)
    await check_complete(database_url)


async def test_a_reply_decides_what_its_letter_showed_and_is_confirmed(desk: Desk) -> None:
    letter = await desk.letter()
    answer = await desk.reply("承認", letter)
    assert answer is not None
    assert answer.message is not None
    assert (answer.outcome, "approved" in answer.message.text) == ("done", True)
    assert await desk.state() == "done"
    again = await desk.reply("却下 やはり", letter)
    assert again is not None
    assert again.outcome == "refused"
    assert await desk.state() == "done"


async def test_an_answer_to_an_older_letter_decides_nothing_of_what_came_since(desk: Desk) -> None:
    first = await desk.letter()
    await desk.reply("差戻し もう一度", first)
    assert await desk.state() == "waiting:answer"
    root = await desk.office.row(
        "select root from threads where task_id = :id and person_id is null", {"id": desk.task_id}
    )
    await desk.office.say("letter anew", thread=root.root)
    assert await desk.state() == "waiting:approval"
    second = await desk.letter()

    old = await desk.reply("承認", first)
    unnamed = await desk.reply("承認", None)  # it can't be told which of the two

    assert old is not None
    assert unnamed is not None
    assert (old.outcome, unnamed.outcome) == ("refused", "refused")
    assert await desk.state() == "waiting:approval"
    await desk.reply("承認", second)
    assert await desk.state() == "done"


async def test_neither_talk_nor_a_large_amount_is_decided_by_a_reply(desk: Desk) -> None:
    other = await desk.letter(of_card=False)
    assert await desk.reply("OK", other) is None
    assert await desk.state() == "waiting:approval"

    letter = await desk.letter()
    answer = await desk.reply("承認", letter, code_from_yen=299_999)
    assert answer is not None
    assert answer.message is not None
    assert (answer.outcome, "299,999" in answer.message.text) == ("refused", True)
    assert await desk.state() == "waiting:approval"
    await desk.reply("承認", None)  # by its token alone: only one card was ever mailed
    assert await desk.state() == "done"
