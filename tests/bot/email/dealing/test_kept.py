"""How long mails are kept, and that nothing of somebody who is erased stays in them."""

from datetime import timedelta

import pytest

from bot.email import inbox
from core import kept_mail, people
from core.documents import Files
from core.erasure import erase
from core.inbound import Sender
from core.unit import unit
from tests.bot.email.dealing.post import Post, written

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

    await erase(house, office.organisation.id, "hanasaki", cancel_tasks=True)

    tables = await post.rows(
        "select relname from pg_class where relkind = 'r' and relname not like 'audit%'"
        " and relnamespace = 'public'::regnamespace"
    )
    for (table,) in tables:
        rows = " ".join(str(row) for row in await post.rows(f"select * from {table}"))
        assert [word for word in (HERS, SECRET) if word in rows] == [], table
    with pytest.raises(LookupError):
        await Files(house, office.organisation.id).get(kept.sha256)
    assert await post.count("mails") == 3


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
