"""What becomes of mails: the right task, once, and nothing of those that are to make none."""

import asyncio
from dataclasses import replace

from bot.email.ids import message_id_of
from core.ids import new_id
from core.linking import make_code
from core.unit import unit
from tests.bot.email.dealing.post import ADDRESS, ASKER, Post, written

ENCRYPTED = b"""Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=x
MIME-Version: 1.0

--x
Content-Type: application/pgp-encrypted

Version: 1

--x
Content-Type: application/octet-stream

-----BEGIN PGP MESSAGE-----
-----END PGP MESSAGE-----
--x--
"""
LOGO = b"\x89PNG\r\n\x1a\n" + bytes(40)


async def test_a_mail_of_a_person_we_know_becomes_one_task(post: Post) -> None:
    raw = written("letter hello", subject="Greeting")
    outcome = await post.take(raw, envelope_from=ASKER)

    assert (outcome.verdict, outcome.reason) == ("accepted", "begun")
    [task] = await post.rows("select * from tasks")
    assert task.id == outcome.task_id
    assert task.text == "Greeting\nletter hello"
    [thread] = await post.rows("select * from threads")
    assert (thread.channel, thread.root) == (ASKER, "<1@acme.example>")
    [mail] = await post.rows("select * from mails")
    assert (mail.state, mail.sender, mail.verified_by) == ("done", ASKER, "dmarc")
    assert await post.count("mail_bytes") == 0
    kept = await post.office.house.store.read(post.office.organisation.id, mail.sha256)
    assert kept == raw
    assert await post.answers() == []


async def test_files_go_with_the_task_and_logos_do_not(post: Post) -> None:
    pdf = b"%PDF-1.7 " + b"x" * 50
    raw = written(
        files=[("受領書.pdf", "application/pdf", pdf), ("image001.png", "image/png", LOGO)]
    )
    outcome = await post.take(raw)

    [file] = await post.rows("select * from attachments")
    assert (file.task_id, file.name, file.media_type) == (
        outcome.task_id,
        "受領書.pdf",
        "application/pdf",
    )
    kept = await post.office.house.store.read(post.office.organisation.id, file.external_id)
    assert kept == pdf


async def test_the_same_mail_in_two_mailboxes_is_one_task_each(post: Post) -> None:
    other = await post.another_box("other@acme.example")
    raw = written(to=f"{ADDRESS}, other@acme.example")

    first, second = await post.take(raw), await post.take(raw, other)

    assert first.task_id != second.task_id
    assert await post.count("tasks") == 2


async def test_a_copy_in_other_bytes_is_a_duplicate(post: Post) -> None:
    first = await post.take(written(headers=[("Received", "from a by b")]))
    second = await post.take(written(headers=[("Received", "from c by d")]))

    assert (second.verdict, second.reason, second.task_id) == (
        "refused",
        "duplicate",
        first.task_id,
    )
    assert await post.count("tasks") == 1


async def test_two_copies_at_the_same_time_are_one_task(post: Post) -> None:
    ids = [await post.store(written(headers=[("Received", f"from a{n} by b")])) for n in range(3)]

    outcomes = await asyncio.gather(*map(post.deal, ids))

    assert sorted(outcome.reason for outcome in outcomes) == ["begun", "duplicate", "duplicate"]
    assert await post.count("tasks") == 1


async def test_two_mails_that_a_program_gave_one_id_are_two(post: Post) -> None:
    first, second = await post.take(written("letter a")), await post.take(written("letter b"))

    assert (first.reason, second.reason) == ("begun", "begun")


async def test_mails_without_an_id_are_told_apart_by_their_bytes(post: Post) -> None:
    one, other = written("letter one", message_id=None), written("letter two", message_id=None)

    assert (await post.take(one)).reason == (await post.take(other)).reason == "begun"
    roots = {row.root for row in await post.rows("select root from threads")}
    assert len(roots) == 2


async def test_what_no_person_wrote_makes_nothing_and_is_not_answered(post: Post) -> None:
    for reason, headers in (
        ("automatic", [("Auto-Submitted", "auto-replied")]),
        ("list", [("List-Id", "<l.example>"), ("List-Post", "<mailto:l@l.example>")]),
        ("loop", [("Received", f"from h{n} by g") for n in range(51)]),
    ):
        raw = written(headers=headers, message_id=f"<{reason}@acme.example>")
        outcome = await post.take(raw)
        assert (outcome.verdict, outcome.reason) == ("refused", reason)

    assert await post.count("tasks") == await post.count("letters") == 0
    assert await post.count("mail_bytes") == 3  # for whoever looks why


async def test_our_own_mail_that_comes_back_is_a_loop(post: Post) -> None:
    ours = message_id_of(post.office.house, post.box, new_id())

    assert (await post.take(written(sender=ADDRESS))).reason == "loop"
    assert (await post.take(written(message_id=ours))).reason == "loop"


async def test_who_wrote_in_anothers_name_or_in_several_is_refused(post: Post) -> None:
    forged = written(dmarc="fail")
    several = written().replace(b"From: ", b"From: boss@acme.example, ")

    assert (await post.take(forged)).reason == "forged"
    assert (await post.take(several)).reason == "forged"
    assert await post.count("tasks") == await post.count("letters") == 0


async def test_a_stranger_is_told_once_a_day_and_only_if_it_was_surely_them(post: Post) -> None:
    stranger = "someone@else.example"
    for number, dmarc in enumerate(("pass", "pass", None)):
        raw = written(sender=stranger, message_id=f"<{number}@else.example>", dmarc=dmarc)
        assert (await post.take(raw)).reason == "unknown_sender"

    [answer] = await post.answers()
    assert answer.recipient == stranger
    assert answer.automatic


async def test_no_dns_server_of_a_stranger_is_asked(post: Post) -> None:
    asked: list[str] = []

    async def resolve(name: str) -> bytes | None:
        asked.append(name)
        return None

    post.door = replace(post.door, resolve=resolve)
    for number, sender in enumerate(("x@else.example", ASKER)):
        domain = sender.rpartition("@")[2]
        signature = f"v=1; a=rsa-sha256; d={domain}; s=s; h=from:subject; bh=eA==; b=eA=="
        raw = written(
            sender=sender, dmarc=None, message_id=f"<{number}@x.y>",
            headers=[("DKIM-Signature", signature)],
        )  # fmt: skip
        await post.take(raw)

    assert asked == ["s._domainkey.acme.example"]


async def test_somebody_of_a_domain_that_may_becomes_a_person(post: Post) -> None:
    raw = written(sender="New Friend <new@friends.example>")
    outcome = await post.take(
        raw.replace(b"header.from=friends.example>", b"header.from=friends.example")
    )
    unverified = written(sender="other@friends.example", dmarc=None, message_id="<2@x.example>")

    assert outcome.reason == "begun"
    [person] = await post.rows("select * from people where name = 'New Friend'")
    assert (person.id, person.roles) == (outcome.person_id, ["requester"])
    assert (await post.take(unverified)).reason == "not_allowed"


async def test_a_request_of_which_nothing_proves_whose_it_is_is_held(post: Post) -> None:
    outcome = await post.take(written(dmarc=None))
    await post.office.work()

    assert (outcome.verdict, outcome.reason) == ("held", "unverified")
    assert await post.office.state(outcome.task_id) == "waiting:release"
    assert post.office.trouble.ran == []
    assert await post.count("letters") == 0


async def test_a_held_copy_takes_no_place_from_the_one_that_is_believed(post: Post) -> None:
    await post.take(written(dmarc=None))
    outcome = await post.take(written())

    assert outcome.reason == "begun"
    assert await post.office.state(outcome.task_id) == "received"


async def test_unverified_commands_do_nothing_and_say_so_once(post: Post) -> None:
    task = await post.take(written())
    for number in range(2):
        raw = written("cancel #1", subject="x", message_id=f"<c{number}@x.example>", dmarc=None)
        assert (await post.take(raw)).verdict == "held"

    assert await post.office.state(task.task_id) == "received"
    [answer] = await post.answers()
    assert answer.automatic


async def test_a_command_is_answered_in_a_mail_of_its_own(post: Post) -> None:
    task = await post.take(written())
    command = written(f"status #{task.reference}", subject="", message_id="<2@acme.example>")
    outcome = await post.take(command)

    assert (outcome.verdict, outcome.reason) == ("accepted", "answered")
    assert outcome.task_id == task.task_id
    [answer] = await post.answers()
    assert not answer.automatic


async def test_mails_that_are_empty_encrypted_or_too_large_are_told_so(post: Post) -> None:
    empty = await post.take(written("", subject=None))
    plain = written("x", message_id="<2@acme.example>")
    encrypted = plain[: plain.index(b"Content-Type")] + ENCRYPTED
    large = written(message_id="<3@acme.example>")
    header = large[: large.index(b"\n\n") + 2]

    assert empty.reason == "empty"
    assert (await post.take(encrypted, post.box)).reason == "encrypted"
    assert (await post.take(header, whole_size=30_000_000)).reason == "too_large"
    assert await post.count("letters") == 1  # they were all for one person, today


async def test_a_linking_code_ties_an_address_that_is_surely_theirs(post: Post) -> None:
    house, person = post.office.house, post.office.other_boss
    async with unit(house) as work:
        code = await make_code(work, house, person)
    sender = "other@home.example"
    forged = await post.take(written(code.text, sender=sender, dmarc=None, message_id="<a@x.y>"))
    linked = await post.take(written(code.text, sender=sender, message_id="<b@x.y>"))

    assert (forged.reason, linked.reason) == ("unknown_sender", "answered")
    [row] = await post.rows("select person_id from accounts where external_id = :a", a=sender)
    assert row.person_id == person.id
