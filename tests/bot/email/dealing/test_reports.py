"""What comes back of our letters: it is believed only where it names one as nobody else can."""

from bot.email import verp
from bot.email.ids import message_id_of
from core.ids import new_id
from tests.bot.email.dealing.post import ASKER, Post, written

DSN = """\
From: MAILER-DAEMON@mx.acme.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

It could not be delivered.

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example

Final-Recipient: rfc822; asker@acme.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--x
Content-Type: text/rfc822-headers

Message-ID: {letter}
From: miyabi@acme.example
To: asker@acme.example

--x--
"""


async def a_letter(post: Post) -> tuple[str, str]:
    """An answer of ours that was sent: its return path, and its Message-ID."""
    await post.take(written("help", subject="", message_id=f"<{new_id()}@acme.example>"))
    await post.office.execute("update letters set state = 'sent' where state = 'queued'")
    letter = (await post.answers())[-1]
    path = verp.return_path(post.office.house, post.box, letter.id)
    return path, letter.message_id


async def test_a_bounce_marks_its_letter(post: Post) -> None:
    for by_path in (True, False):
        path, letter = await a_letter(post)
        to, named = (path, "<x@y>") if by_path else (post.box.address, letter)
        outcome = await post.take(DSN.format(to=to, letter=named).encode(), envelope_from="")
        assert (outcome.verdict, outcome.reason) == ("refused", "bounce")
        assert (await post.answers())[-1].state == "bounced"
        # Who was shown the letter knows its Message-ID: that pauses nobody's address.
        counted = await post.count("mail_addresses", f"address = '{ASKER}' and bounces = 1")
        assert counted == int(by_path)


async def test_a_bounce_for_another_address_than_the_letters_marks_nothing(post: Post) -> None:
    _, letter = await a_letter(post)
    raw = DSN.format(to=post.box.address, letter=letter).replace("asker@", "other@")
    await post.take(raw.encode(), envelope_from="")

    assert (await post.answers())[-1].state == "sent"


async def test_a_bounce_that_names_no_letter_of_ours_marks_nothing(post: Post) -> None:
    await a_letter(post)
    other = message_id_of(post.office.house, post.box, new_id())
    for to, letter in (
        ("miyabi+b-aaaaaaaaaaaaaaaaaaaaaaaaaa-aaaaaaaaaaaaaaaa@acme.example", "<x@y>"),
        (post.box.address, other),
    ):
        raw = DSN.format(to=to, letter=letter)
        assert (await post.take(raw.encode(), envelope_from="")).reason == "bounce"

    [row] = await post.answers()
    assert row.state == "sent"
    assert await post.count("mail_addresses", "bounces > 0") == 0


async def test_what_comes_to_a_return_path_no_person_wrote(post: Post) -> None:
    path, _ = await a_letter(post)
    outcome = await post.take(written("I am away", subject="Away", to=path, message_id="<9@x.y>"))

    assert (outcome.verdict, outcome.reason) == ("refused", "automatic")


async def test_an_answer_from_an_address_counts_its_bounces_anew(post: Post) -> None:
    path, letter = await a_letter(post)
    await post.take(DSN.format(to=path, letter=letter).encode())
    await post.take(written())

    assert await post.count("mail_addresses", "bounces > 0") == 0
