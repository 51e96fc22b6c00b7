"""`miyabi doctor` on mailboxes: it logs in as reading and sending do, and says what to mend."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from bot.email import boxes, platform
from bot.email.boxes import Box, Server, Trust
from core import people
from core.db import fetch_alone
from core.ids import new_id
from core.inbound import Sender
from core.platform import Finding, Opening
from core.sealing import seal
from core.settings import EmailSettings, Settings
from core.unit import unit
from tests.core.house import Office, open_office
from tests.fakes.mail.dovecot import PASSWORD, Dovecot
from tests.fakes.mail.smtp import outside_server

NOBODY = Server("127.0.0.1", 9, "quote", "none")  # the port of discard, which nobody has


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with open_office(database_url) as office:
        yield office


async def _found(office: Office, home: Path, **email: object) -> Sequence[Finding]:
    async def read(organisation_id: object, sha256: str) -> bytes:
        raise LookupError

    settings = Settings(
        home=home,
        database_url=SecretStr("postgresql://not/used"),
        redis_url=SecretStr("redis://not-used"),
        public_url="https://miyabi.example",
        email=EmailSettings.model_validate(email),
    )
    return await platform.check(Opening(settings, office.house, read))


def _bad(found: Sequence[Finding]) -> list[str]:
    assert all(finding.well or finding.fix for finding in found)
    return [finding.what.en.removeprefix("Mail: ") for finding in found if not finding.well]


async def _add(office: Office, box: Box) -> Box:
    async with unit(office.house) as work:
        await boxes.add(work, office.house, box)
    return box


async def test_what_a_mailbox_lacks_is_told_until_it_has_it(office: Office, tmp_path: Path) -> None:
    assert [each.what.en for each in await _found(office, tmp_path)] == [
        "Mail: not set up (fine if you don't use it)"
    ]
    organisation = office.organisation
    bare = Box(new_id(), organisation.id, organisation.slug, "quote@miyabi.example",
               trust=Trust(dkim=False))  # fmt: skip
    await _add(office, bare)

    assert _bad(await _found(office, tmp_path)) == [
        "a way in for quote@miyabi.example",
        "a way out for quote@miyabi.example",
        "who makes quote@miyabi.example believe a sender: nobody",
        "somebody who may write to quote@miyabi.example",
    ]

    async with unit(office.house) as work:
        trusting = replace(bare, imap=NOBODY, trust=Trust(("mx.google.com",)))
        await boxes.change(work, office.house, trusting)
        account = Sender("email", organisation.slug, "hanako@miyabi.example")
        await people.link(work, office.asker, account)
    found = await _found(office, tmp_path, smtp_host="127.0.0.1", smtp_port=9)
    assert _bad(found) == [
        "reading quote@miyabi.example (127.0.0.1, folder INBOX)",
        "sending for quote@miyabi.example (127.0.0.1)",
    ]
    said = {finding.what.en for finding in found}
    assert (
        "Mail: who makes quote@miyabi.example believe a sender: mx.google.com,"
        " DKIM, checked by ourselves" in said
    )


async def test_the_way_out_is_tried_with_the_mailboxs_own_login(
    office: Office, tmp_path: Path
) -> None:
    organisation = office.organisation
    async with outside_server(security="none") as outside:
        server = Server(outside.host, outside.port, "quote", "none")
        box = Box(new_id(), organisation.id, organisation.slug, "quote@miyabi.example", smtp=server,
                  secrets={"post_secret": "x", "smtp_password": outside.password})  # fmt: skip
        await _add(office, box)
        assert _bad(await _found(office, tmp_path)) == [
            "somebody who may write to quote@miyabi.example"
        ]
        async with unit(office.house) as work:
            wrong = {**box.secrets, "smtp_password": "wrong"}
            await boxes.change(work, office.house, replace(box, secrets=wrong))
        found = await _found(office, tmp_path)
        assert _bad(found)[0] == "sending for quote@miyabi.example (127.0.0.1)"
        [fix] = [each.fix.en for each in found if each.fix and "sending" in each.what.en]
        assert "535" in fix
    assert outside.logins
    assert not outside.letters


async def test_the_folder_is_opened_as_reading_does_it(
    office: Office, tmp_path: Path, dovecot: Dovecot
) -> None:
    organisation = office.organisation
    box = Box(new_id(), organisation.id, organisation.slug, "quote@miyabi.example",
              imap=Server("127.0.0.1", dovecot.imap, uuid4().hex, "none"),
              secrets={"imap_password": PASSWORD})  # fmt: skip
    await _add(office, box)
    reading = "reading quote@miyabi.example (127.0.0.1, folder {})"

    assert reading.format("INBOX") not in _bad(await _found(office, tmp_path))
    for changed, folder, why in (
        (replace(box, secrets={"imap_password": "wrong"}), "INBOX", "AUTHENTICATIONFAILED"),
        (replace(box, folder="None such"), "None such", "exist"),
    ):
        async with unit(office.house) as work:
            await boxes.change(work, office.house, changed)
        found = await _found(office, tmp_path)
        assert reading.format(folder) in _bad(found)
        assert any(each.fix and why in each.fix.en for each in found)


async def test_a_mailbox_that_cannot_be_opened_and_mail_that_does_not_go_on_are_told(
    office: Office, tmp_path: Path
) -> None:
    organisation = office.organisation
    box = Box(new_id(), organisation.id, organisation.slug, "quote@miyabi.example",
              secrets={"imap_password": "hush"})  # fmt: skip
    await _add(office, box)
    sealed = seal(b"k" * 32, "email", str(box.id), {"imap_password": "of another key"})
    values = {"sealed": sealed, "id": box.id, "mail": new_id(), "organisation_id": organisation.id}
    for sql in (
        "update mailboxes set secrets = :sealed where id = :id",
        "insert into mails (id, organisation_id, mailbox_id, came_by, sha256, size, received_at)"
        " values (:mail, :organisation_id, :id, 'imap', '0', 1, now() - interval '1 hour')",
    ):
        await fetch_alone(office.house.engine, sql, values)

    bad = _bad(await _found(office, tmp_path))

    assert bad[0] == "quote@miyabi.example"
    assert bad[1].startswith("1 wait for more than ten minutes")


async def test_a_mailbox_where_nobody_was_believed_lately_is_told(
    office: Office, tmp_path: Path
) -> None:
    organisation = office.organisation
    box = await _add(
        office, Box(new_id(), organisation.id, organisation.slug, "quote@miyabi.example")
    )
    came = (
        "insert into mails (id, organisation_id, mailbox_id, came_by, sha256, size, state, kind,"
        " person_id, verified_by) select gen_random_uuid(), :organisation_id, :id, 'imap',"
        " gen_random_uuid()::text, 1, 'held', 'human', :person, :by from generate_series(1, 3)"
    )
    values = {"organisation_id": organisation.id, "id": box.id, "person": office.asker.id}
    said = "of your people's mails to quote@miyabi.example in seven days believed: {}"

    await fetch_alone(office.house.engine, came, {**values, "by": None})
    assert said.format("0 of 3") in _bad(await _found(office, tmp_path))
    await fetch_alone(office.house.engine, came, {**values, "by": "dmarc"})
    found = await _found(office, tmp_path)
    assert f"Mail: {said.format('3 of 6')}" in [each.what.en for each in found]
    assert said.format("3 of 6") not in _bad(found)
