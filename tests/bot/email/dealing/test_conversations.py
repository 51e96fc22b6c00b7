"""Replies: which task each goes on with, and what is made of it."""

from dataclasses import replace
from uuid import UUID

import pytest

from bot.email import letters, tokens
from bot.email.ids import message_id_of
from bot.email.reading.parse import read_mail
from bot.email.verdicts import Outcome
from core.settings import EmailSettings
from core.unit import unit
from tests.bot.email.dealing.post import ASKER, BOSS, Post, written
from tests.core.house import SayingWall


@pytest.fixture
def wall(post: Post) -> SayingWall:
    """Where the office's letters go: what they say is not the question here."""
    wall = SayingWall()
    post.office.house.outbounds["email"] = wall  # type: ignore[index]
    return wall


async def asked(post: Post, subject: str = "letter ?") -> Outcome:
    """A task that asks which tone it shall have."""
    outcome = await post.take(written("", subject=subject))
    await post.office.work()
    assert await post.office.state(outcome.task_id) == "waiting:answer"
    return outcome


def reply(text: str, **more: object) -> bytes:
    """An answer to the first mail."""
    given = {
        "subject": "Re: letter ?",
        "references": ["<1@acme.example>"],
        "message_id": f"<{abs(hash(text))}@acme.example>",
    }
    return written(text, **{**given, **more})  # type: ignore[arg-type]


async def test_a_reply_answers_what_was_asked(post: Post, wall: SayingWall) -> None:
    task = await asked(post)
    outcome = await post.take(reply("warm\n\n> Which tone?"))

    assert (outcome.reason, outcome.task_id) == ("continued", task.task_id)
    assert await post.office.state(task.task_id) != "waiting:answer"


async def test_a_reply_by_token_alone_is_known_by_its_address(post: Post, wall: SayingWall) -> None:
    task = await asked(post)
    to = await token_address(post, task.task_id, post.office.asker.id)
    outcome = await post.take(reply("warm", references=[], to=to, dmarc=None))

    assert (outcome.reason, outcome.task_id) == ("continued", task.task_id)
    [row] = await post.rows("select verified_by from mails where reason = 'continued'")
    assert row.verified_by == "token"


async def test_a_token_is_worth_nothing_to_anybody_else(post: Post, wall: SayingWall) -> None:
    task = await asked(post)
    to = await token_address(post, task.task_id, post.office.asker.id)
    by_boss = reply("warm", references=[], to=to, dmarc=None, sender=BOSS)
    by_stranger = reply("cool", references=[], to=to, dmarc=None, sender="x@else.example")

    assert (await post.take(by_boss)).verdict == "held"
    assert (await post.take(by_stranger)).reason == "unknown_sender"
    assert await post.office.state(task.task_id) == "waiting:answer"


async def test_a_token_alone_goes_no_further_than_its_task(post: Post, wall: SayingWall) -> None:
    other = await post.take(written("letter other", message_id="<0@acme.example>"))
    task = await asked(post)
    to = await token_address(post, task.task_id, post.office.asker.id)
    for said in ("letter of something else", f"cancel #{other.reference}"):
        outcome = await post.take(reply(said, references=[], to=to, dmarc=None))
        assert (outcome.verdict, outcome.task_id) == ("held", None)

    assert await post.office.state(task.task_id) == "waiting:answer"
    assert await post.count("tasks") == 2
    assert await post.count("tasks", "state = 'cancelled'") == 0


async def test_a_forged_mail_with_a_known_id_takes_no_conversation(
    post: Post, wall: SayingWall
) -> None:
    task = await asked(post)
    forged = await post.take(written("letter evil", subject="letter ?", dmarc=None))
    outcome = await post.take(reply("warm"))

    assert forged.verdict == "held"
    assert outcome.task_id == task.task_id
    assert await post.office.state(task.task_id) != "waiting:answer"


async def test_who_has_no_part_in_a_task_does_not_go_on_with_it(
    post: Post, wall: SayingWall
) -> None:
    task = await asked(post)
    talk = await post.take(reply("warm", sender=BOSS))
    request = await post.take(reply("letter of my own", sender=BOSS))

    assert (talk.reason, talk.task_id) == ("not_allowed", None)
    assert request.reason == "begun"
    assert await post.office.state(task.task_id) == "waiting:answer"


async def test_a_new_subject_begins_a_new_task_that_names_the_old(
    post: Post, wall: SayingWall
) -> None:
    task = await asked(post)
    outcome = await post.take(reply("letter another", subject="Re: Something else"))

    assert outcome.reason == "begun"
    [event] = await post.rows(
        "select body ->> 'stream' as stream, body -> 'data' ->> 'to' as old from audit_events"
        " where body ->> 'tag' = 'intake:task:related'"
    )
    assert (event.stream, event.old) == (str(outcome.task_id), str(task.task_id))
    [answer] = await post.answers()
    said = read_mail(answer.content)
    assert f"#{outcome.reference}" in (said.subject or "")
    assert f"#{task.reference}" in said.written.new


async def test_the_number_of_a_task_is_no_new_subject(post: Post, wall: SayingWall) -> None:
    task = await asked(post)
    outcome = await post.take(reply("warm", subject=f"RE: [#{task.reference}] Which tone?"))

    assert outcome.task_id == task.task_id


async def test_thanks_are_no_request_and_a_wish_is_not_passed_over(
    post: Post, wall: SayingWall
) -> None:
    await post.take(written("letter hello", subject="letter"))
    await post.office.work()

    wish = await post.take(reply("could it be longer, by 3 lines?", subject="Re: letter"))
    [hint] = await post.answers()
    await post.take(reply("cancel", subject="Re: letter"))
    thanks = await post.take(reply("Thank you, the letter of page 1 came!", subject="Re: letter"))

    assert (wish.reason, hint.automatic) == ("answered", True)
    assert thanks.reason == "answered"
    assert await post.count("tasks") == 1
    assert len(await post.answers()) == 2  # the hint, and that it was cancelled


async def test_a_reply_that_overtakes_its_request_waits_for_it(
    post: Post, wall: SayingWall
) -> None:
    await asked(post)
    first = await post.store(written("", subject="letter ?", message_id="<9@acme.example>"))
    second = await post.store(reply("warm", references=["<9@acme.example>"]))
    await post.office.execute(
        f"update mails set next_at = now() + interval '1 hour' where id = '{first}'"
    )

    await post.try_once(second)
    assert await post.state(second) == "received"
    await post.office.execute("update mails set next_at = now()")
    begun = await post.deal(first)
    await post.office.work()

    assert (await post.deal(second)).task_id == begun.task_id


async def test_a_mail_that_is_stuck_keeps_no_reply_waiting(post: Post, wall: SayingWall) -> None:
    stuck = await post.store(written("", subject="letter ?", message_id="<9@acme.example>"))
    await post.office.execute(
        "update mails set next_at = now() + interval '1 hour',"
        " received_at = now() - interval '1 hour'"
    )
    outcome = await post.take(reply("letter hello", references=["<9@acme.example>"]))

    assert outcome.reason == "begun"
    assert await post.state(stuck) == "received"


# Decisions


async def token_address(post: Post, task_id: UUID | None, person_id: UUID) -> str:
    assert task_id is not None
    house = post.office.house
    async with unit(house) as work:
        token = await tokens.token_for(work, house, post.box.organisation_id, task_id, person_id)
    return tokens.reply_to(post.box, token)


async def to_decide(post: Post, wall: SayingWall) -> tuple[Outcome, str, str]:
    """A task that waits for the boss; the address that their letter tells, and its id."""
    await post.office.execute("delete from accounts where platform = 'wall'")
    outcome = await post.take(written("letter hello", subject="letter"))
    await post.office.work()
    house = post.office.house
    [call] = [call for call, said in wall.calls.items() if any(each.code for each in said)]
    row = letters.Row(
        call, BOSS, message_id_of(house, post.box, call), b"x", outcome.task_id,
        person_id=post.office.boss.id,
    )  # fmt: skip
    async with unit(house) as work:
        await letters.store(work, post.box, row)
    to = await token_address(post, outcome.task_id, post.office.boss.id)
    return outcome, to, row.message_id


def decision(text: str, to: str, letter: str, **more: object) -> bytes:
    return reply(text, sender=BOSS, to=to, references=[letter], subject="Re: letter", **more)


async def test_a_reply_with_the_token_decides_and_is_confirmed(
    post: Post, wall: SayingWall
) -> None:
    task, to, letter = await to_decide(post, wall)
    outcome = await post.take(decision("承認\n\n> letter", to, letter))

    assert (outcome.reason, outcome.task_id) == ("decided", task.task_id)
    assert await post.count("decisions") == 1
    [answer] = await post.answers()
    assert (answer.recipient, answer.automatic) == (BOSS, False)


@pytest.mark.parametrize("lacking", ["token", "dmarc"])
async def test_without_the_token_or_a_sender_that_is_sure_nothing_is_decided(
    post: Post, wall: SayingWall, lacking: str
) -> None:
    _, to, letter = await to_decide(post, wall)
    more: dict[str, object] = {} if lacking == "token" else {"dmarc": None}
    outcome = await post.take(
        decision("承認", to if lacking == "dmarc" else "miyabi@acme.example", letter, **more)
    )

    assert outcome.reason in {"answered", "unverified"}
    assert await post.count("decisions") == 0
    assert len(await post.answers()) == 1


async def test_no_fresh_mail_decides_anything(post: Post, wall: SayingWall) -> None:
    task, _, _ = await to_decide(post, wall)
    for number, words in enumerate(("承認", "approve", "reject")):
        raw = written(
            f"{words} #{task.reference}",
            sender=BOSS,
            subject="",
            message_id=f"<d{number}@x.example>",
        )
        assert (await post.take(raw)).reason == "answered"
    # Nor is it a request for work, whatever its subject or the mailbox says.
    alone = written("承認", sender=BOSS, subject="letter x", message_id="<d9@x.example>")
    assert (await post.take(alone)).reason == "answered"

    assert await post.count("decisions") == 0
    assert await post.count("tasks") == 1


async def test_from_a_limit_on_no_reply_decides(post: Post, wall: SayingWall) -> None:
    settings = EmailSettings(code_from_yen=0)
    post.door = replace(post.door, settings=settings)
    _, to, letter = await to_decide(post, wall)
    outcome = await post.take(decision("できません", to, letter))

    assert outcome.reason == "answered"
    assert await post.count("decisions") == 0


async def test_more_replies_than_a_person_writes_are_a_loop(post: Post, wall: SayingWall) -> None:
    task = await asked(post)
    await post.office.execute(
        "insert into mails (id, organisation_id, mailbox_id, came_by, sha256, size, state, reason,"
        f" sender) select gen_random_uuid(), organisation_id, mailbox_id, 'smtp', n::text, 1,"
        f" 'done', 'answered', '{ASKER}' from mails, generate_series(1, 30) n"
    )
    outcome = await post.take(reply("warm"))

    assert outcome.reason == "loop"
    assert await post.office.state(task.task_id) == "waiting:answer"
