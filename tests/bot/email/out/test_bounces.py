"""A letter that comes back: its address, its task, and whoever has to know."""

from uuid import UUID

from bot.email import addresses_kept, bounces, letters
from bot.email.reading.mail import Failed
from core import people
from core.unit import unit
from tests.bot.email.out.post import Post
from tests.fakes.mail.smtp import TAKE_AND_DROP

HARD = Failed("boss@acme.example", permanent=True, status="5.1.1")


async def _bounce(post: Post, letter: UUID, failed: Failed = HARD) -> None:
    async with unit(post.office.house) as work:
        organisation_id = post.office.organisation.id
        await bounces.bounced(work, organisation_id, failed, letter, "no user")
    await post.office.work()


async def _to_boss(post: Post) -> UUID:
    rows = await post.rows("id, recipient")
    return [row.id for row in rows if row.recipient.startswith("boss")][-1]  # type: ignore[no-any-return]


async def _address(post: Post) -> tuple[int, bool]:
    row = await post.office.row(
        "select bounces, paused_until is not null as paused from mail_addresses", {}
    )
    return (row.bounces, row.paused) if row is not None else (0, False)


async def test_one_that_comes_back_is_told_elsewhere_and_two_pause_the_address(post: Post) -> None:
    office = post.office
    await post.write("letter one")
    assert office.wall.texts("boss") == []
    first = await _to_boss(post)
    await _bounce(post, first)
    # The card stands where they are still reached, and says why there.
    card = office.wall.showing("came back")
    assert office.wall.texts("boss") == [card.text]
    assert card.buttons
    assert await _address(post) == (1, False)
    await _bounce(post, first)  # the same report once more
    assert await _address(post) == (1, False)

    await post.write("letter two")
    assert len(post.to(office.boss)) == 2  # one pauses nothing
    await _bounce(post, await _to_boss(post))
    assert await _address(post) == (2, True)

    await post.write("letter three")
    assert len(post.to(office.boss)) == 2
    cards = [text for text in office.wall.texts("boss") if "Approval wanted" in text]
    assert len(cards) == 3

    # The pause ends; or somebody writes from there.
    await office.execute("update mail_addresses set paused_until = now()")
    async with unit(office.house) as work:
        await addresses_kept.resume(work)
    assert await _address(post) == (1, False)
    await post.write("letter four")
    assert len(post.to(office.boss)) == 3
    await _bounce(post, await _to_boss(post))
    assert await _address(post) == (2, True)
    async with unit(office.house) as work:
        await addresses_kept.alive(work, post.sender(office.boss))
    assert await _address(post) == (0, False)
    await post.write("letter five")
    assert len(post.to(office.boss)) == 4


async def test_who_has_no_other_account_is_told_of_to_who_asked(post: Post) -> None:
    office = post.office
    async with unit(office.house) as work:
        await people.unlink(work, office.boss, office.sender(office.boss))
    await post.write("letter one")
    await _bounce(post, await _to_boss(post))
    told = [text for text in office.wall.texts() if "can't be told" in text]
    told += [str(each["Subject"]) for each in post.to(office.asker)]
    assert any("can't be told" in text for text in told), told


async def test_a_delay_changes_nothing(post: Post) -> None:
    await post.write("letter one")
    letter = await _to_boss(post)
    await _bounce(post, letter, Failed("boss@acme.example", permanent=False, status="4.4.1"))
    assert await _address(post) == (0, False)
    assert set(await post.states()) == {"sent"}
    assert post.office.wall.texts("boss") == []


async def _lost(post: Post) -> UUID:
    """A question of which nobody knows whether it was sent."""
    post.outside.answers = {"DATA": [TAKE_AND_DROP]}
    asked = await post.write("letter ?")
    await post.tell(asked)
    await post.tell(asked)
    [lost] = [row.id for row in await post.rows("id, state") if row.state == "unknown"]
    return lost  # type: ignore[no-any-return]


async def _question(post: Post) -> str:
    row = await post.office.row(
        "select state from deliveries where slot like 'question:%' order by id limit 1", {}
    )
    return str(row.state)


async def test_a_letter_of_unknown_outcome_is_settled_by_an_answer_to_it(post: Post) -> None:
    letter = await _lost(post)
    assert await _question(post) == "unknown"
    async with unit(post.office.house) as work:
        organisation_id = post.office.organisation.id
        await letters.arrived(work, organisation_id, letter)
    assert await _question(post) == "sent"
    assert "unknown" not in await post.states()


async def test_or_by_a_bounce(post: Post) -> None:
    letter = await _lost(post)
    await _bounce(post, letter, Failed("asker@acme.example", permanent=True, status="5.2.2"))
    assert await _question(post) == "failed"
    assert "came back" in post.office.wall.showing("Which tone?").text
