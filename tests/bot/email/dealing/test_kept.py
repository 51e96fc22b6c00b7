"""How long mails are kept, and that nothing of somebody who is erased stays in them."""

import hashlib
from datetime import timedelta

import pytest

from bot.email import inbox, letters, log, taking_in
from core import kept_mail, people
from core.documents import Files
from core.erasure import erase
from core.errors import Unknown
from core.ids import new_id
from core.inbound import Sender
from core.unit import unit
from tests.bot.email.dealing.post import BOSS, Post, written

HERS, SECRET = "hanasaki@acme.example", "himitsu-77"


async def test_nothing_of_somebody_who_is_erased_stays_in_mails_or_letters(post: Post) -> None:
    office, house = post.office, post.office.house
    async with unit(house) as work:
        hanasaki = await people.add(
            work, office.organisation.id, "hanasaki", "花咲 華子", frozenset({"requester"})
        )
        await people.link(work, hanasaki, Sender("email", office.organisation.slug, HERS))
    request = written(f"letter {SECRET}", sender=HERS, subject=SECRET, message_id=f"<1.{HERS}>")
    taken = await post.take(request, envelope_from=HERS)
    await office.work()
    await post.take(written("help", sender=HERS, subject=SECRET, message_id="<2@a>"))
    forged = written(SECRET, sender=HERS, subject=SECRET, message_id="<3@a>", dmarc="fail")
    assert (await post.take(forged)).reason == "forged"
    [kept] = await post.rows("select sha256 from mails where task_id = :id", id=taken.task_id)

    # What the boss was told of it and said to it, and what she said of a task of somebody else.
    about = letters.Row(
        new_id(), BOSS, "<9@miyabi.example>", SECRET.encode(), taken.task_id,
        person_id=office.boss.id,
    )  # fmt: skip
    async with unit(house) as work:
        await letters.store(work, post.box, about)
    await office.execute("update letters set state = 'sent'")
    await post.take(written("help", sender=BOSS, message_id="<4@a>"))
    theirs = await post.take(written("letter third", message_id="<5@a>"))
    replied = written(SECRET, sender=HERS, message_id="<6@a>", dmarc="fail")
    await post.take(replied)
    await taking_in.keep_mail(Files(house, office.organisation.id), replied)
    await office.execute(
        f"update mails set task_id = '{taken.task_id}', subject = 'Re: {SECRET}'"
        " where message_id = '<4@a>'"
    )
    await office.execute(
        f"update mails set task_id = '{theirs.task_id}', person_id = '{hanasaki.id}'"
        " where message_id = '<6@a>'"
    )

    await erase(house, office.organisation.id, "hanasaki", cancel_tasks=True)

    tables = await post.rows(
        "select relname from pg_class where relkind = 'r' and relname not like 'audit%'"
        " and relnamespace = 'public'::regnamespace"
    )
    for (table,) in tables:
        rows = " ".join(str(row) for row in await post.rows(f"select * from {table}"))
        assert [word for word in (HERS, SECRET) if word in rows] == [], table
    for gone in (kept.sha256, hashlib.sha256(replied).hexdigest()):
        with pytest.raises(LookupError):
            await Files(house, office.organisation.id).get(gone)
    assert await post.count("mails") == 6


async def test_bytes_go_after_a_month_and_the_row_stays(post: Post) -> None:
    raw = written(sender="nobody@else.example", message_id="<1@else.example>")
    refused = await post.store(raw)
    await post.deal(refused)
    unreadable = await post.store(written(message_id="<2@else.example>"))
    waiting = await post.store(written(message_id="<3@else.example>"))
    old = "done_at = now() - interval '31 days'"
    await post.office.execute(f"update mails set {old} where id = '{refused}'")
    await post.office.execute(
        f"update mails set state = 'quarantined', {old} where id = '{unreadable}'"
    )

    async with post.office.house.engine.begin() as connection:
        await kept_mail.forget(connection, timedelta(days=30), 100)

    left = {row.mail_id for row in await post.rows("select mail_id from mail_bytes")}
    [row] = await post.rows("select * from mails where id = :id", id=refused)
    assert left == {unreadable, waiting}
    assert (row.sender, row.subject, row.envelope_from) == (None, None, None)
    # A mailbox that is read anew has the same mails in it.
    assert await inbox.store(post.office.house, post.box, raw, came_by="imap") is None


async def test_what_made_nothing_is_forgotten_with_who_wrote_it(post: Post) -> None:
    house, organisation_id = post.office.house, post.office.organisation.id
    outcome = await post.take(written("help", message_id="<1@a>"))
    unverified = await post.store(written("approve", dmarc=None, message_id="<2@a>"))
    unreadable = await post.store(written(message_id="<3@a>"))
    assert (outcome.reason, await post.count("mail_bytes")) == ("answered", 3)
    await post.office.execute(
        "update mails set sender = 'asker@acme.example', done_at = now() - interval '91 days',"
        f" state = case when id = '{unverified}' then 'held' else 'quarantined' end"
        " where state = 'received'"
    )
    await post.office.execute("update mails set done_at = now() - interval '91 days'")
    await post.office.execute(
        "insert into mail_addresses (organisation_id, address, bounces, answered_at) select"
        f" '{organisation_id}', address, bounces, now() - interval '31 days'"
        " from (values ('a@else.example', 0), ('b@else.example', 1)) as known(address, bounces)"
    )

    async with house.engine.begin() as connection:
        await kept_mail.forget(connection, timedelta(days=30), 100)

    assert await post.count("mail_bytes") == 0
    rows = await post.rows("select id, sender from mails where state <> 'done'")
    assert dict(map(tuple, rows)) == {unverified: None, unreadable: None}
    [left] = await post.rows("select address from mail_addresses")
    assert left.address == "b@else.example"
    # Nobody can read any more what is not there: it would wait for ever.
    async with house.engine.connect() as connection:
        line = await log.find(connection, organisation_id, str(unreadable))
    with pytest.raises(Unknown):
        async with unit(house) as work:
            await log.retry(work, organisation_id, line)
