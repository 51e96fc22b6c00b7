"""Each kind of anchor against a real server: what it keeps is found again, by the verifier too."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs
from typer.testing import CliRunner
from uuid_utils.compat import uuid7

from audit.anchored import reach, stamps
from audit.anchors import Anchor, Parcel, Receipt, Signed
from audit.bucket import BucketAnchor
from audit.bundle import export
from audit.carrying import Failure, carry_to
from audit.event import Event
from audit.mailbox import Mail, MailAnchor
from audit.note import checkpoint_text, note, signature_line
from audit.proofs import head
from audit.timestamps import Timestamps
from audit.timestamps import read_certificates as trusted
from audit.verifier.bundle import verify_bundle
from audit.verifier.kept import read_kept
from audit.verifier.live import verify_database
from audit.verifier.stamps import Stamps, read_certificates
from audit.verifier.verdict import Kind, Verdict
from miyabi import cli
from miyabi.anchors import letter
from miyabi.commands.audit_files import read_anchors
from tests.audit.log_of_one import KEY, KEYS, ORGANISATION, event, sign, tamper, verify, write
from tests.audit.test_attacks import STREAMS, restore_backup, rewrite
from tests.fakes.anchors.authority import Authority, make_authority, serving
from tests.fakes.anchors.bucket import KEYS as SECRETS
from tests.fakes.anchors.bucket import Bucket, make_bucket, s3_server
from tests.fakes.anchors.post import Mailbox, receiving

NOW = timedelta(0)
PASSWORD = "a-password-that-nobody-sees"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(endpoint: str) -> Bucket:
    return make_bucket(endpoint)


@pytest.fixture
async def authority(tmp_path: Path) -> AsyncIterator[Authority]:
    async with serving(make_authority(tmp_path / "authority")) as found:
        yield found


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with receiving() as found:
        yield found


def by_mail(mailbox: Mailbox, **more: Any) -> MailAnchor:
    sender, to = "miyabi@example.co.jp", "auditor@example.jp"
    return MailAnchor(Mail(mailbox.host, mailbox.port, "none", sender, to, **more), letter)


async def grow(app: AsyncEngine) -> str:
    await write(app, event(uuid7()))
    return await sign(app)


async def carry(
    app: AsyncEngine, anchor: Anchor, stamps: str | None = None
) -> Receipt | Failure | None:
    return await carry_to(app, anchor, ORGANISATION, every=NOW, stamps=stamps)


async def down_and_back(app: AsyncEngine, owner: AsyncEngine, anchor: Anchor, *, well: Any) -> None:
    """What waited while it was away goes as one; `well` makes it answer again."""
    for _ in range(2):
        await grow(app)
        assert isinstance(await carry(app, anchor), Failure)
        await make_due(owner)
    well()
    assert isinstance(await carry(app, anchor), Receipt)
    async with app.connect() as connection:
        [found] = await reach(connection, [anchor.name])
    assert (found.size, found.of, found.error) == (2, 2, None)


async def make_due(owner: AsyncEngine) -> None:
    async with owner.begin() as connection:
        await connection.execute(text("update audit_anchors set next_at = now()"))


async def forget_receipts(owner: AsyncEngine) -> None:
    """As it is after a kill between the sending and the receipt."""
    await tamper(owner, "delete from audit_receipts")


async def everything_said(owner: AsyncEngine) -> str:
    """All that the tables of the log and its anchors hold, as text."""
    async with owner.connect() as connection:
        rows = [
            await connection.scalars(text(f"select cast(t as text) from {table} t"))
            for table in ("audit_anchors", "audit_receipts", "audit_events")
        ]
        return "\n".join(row for found in rows for row in found)


# A bucket


async def test_what_is_in_the_bucket_cant_be_taken_away_and_is_read_again(
    app: AsyncEngine, owner: AsyncEngine, bucket: Bucket
) -> None:
    anchor = BucketAnchor(bucket.place, years=7)
    notes = [await grow(app)]
    await carry(app, anchor)
    notes.append(await grow(app))
    await carry(app, anchor)

    key = f"logs/miyabi/{ORGANISATION}/1.note"
    where = {"Bucket": bucket.place.bucket, "Key": key}
    head = bucket.client.head_object(**where)
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert head["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(days=7 * 365)
    with pytest.raises(ClientError, match="AccessDenied"):
        bucket.client.delete_object(**where, VersionId=head["VersionId"])
    # What can be done is to hide it: then it is found below.
    bucket.client.delete_object(**where)
    bucket.client.put_object(**where, Body=b"another")

    kept = read_kept((await anchor.kept()).items())
    assert set(notes) < set(kept.notes)
    assert (await verify(app, anchors=notes)).unanchored == 0
    assert (await verify(app, anchors=kept.notes)).kind is Kind.MALFORMED  # somebody's “another”


async def test_a_bucket_that_has_something_else_there_or_does_not_lock_is_told_of(
    app: AsyncEngine, owner: AsyncEngine, bucket: Bucket, endpoint: str
) -> None:
    await grow(app)
    where = {"Bucket": bucket.place.bucket, "Key": f"logs/miyabi/{ORGANISATION}/1.note"}
    bucket.client.put_object(**where, Body=b"another")

    taken = await carry(app, BucketAnchor(bucket.place, years=7))
    await make_due(owner)
    loose = await carry(app, BucketAnchor(make_bucket(endpoint, locked=False).place, years=7))

    assert isinstance(taken, Failure)
    assert "not what was put there" in taken.why
    assert isinstance(loose, Failure)


async def test_a_bucket_that_was_away_or_got_it_twice_has_it_once(
    app: AsyncEngine, owner: AsyncEngine, bucket: Bucket
) -> None:
    place = replace(bucket.place, endpoint="http://127.0.0.1:9")
    anchor = BucketAnchor(place, years=7)

    def well() -> None:
        anchor.__init__(bucket.place, 7)  # type: ignore[misc]

    await down_and_back(app, owner, anchor, well=well)
    await forget_receipts(owner)
    assert isinstance(await carry(app, anchor), Receipt)

    assert bucket.versions() == [f"logs/miyabi/{ORGANISATION}/2.note"]
    assert SECRETS["secret_key"] not in await everything_said(owner) + repr(anchor) + repr(place)


@pytest.mark.parametrize(
    ("attack", "kind"),
    [
        ("cut tail", Kind.TAIL_CUT),
        ("old backup, written on", Kind.INCONSISTENT),
        ("rewritten and signed by the real key", Kind.INCONSISTENT),
    ],
)
async def test_from_the_last_anchor_in_the_bucket_each_attack_is_found(
    app: AsyncEngine, owner: AsyncEngine, bucket: Bucket, attack: str, kind: Kind
) -> None:
    """Each leaves a database that has nothing wrong in itself."""
    events: list[Event] = []
    for _ in range(2):
        events += await write(app, *(event(STREAMS[n % 3], n) for n in range(20)))
        await sign(app)
        await carry(app, BucketAnchor(bucket.place, years=7))
    events.sort(key=lambda each: each.id)
    if attack == "rewritten and signed by the real key":
        await rewrite(owner, events, at=25)
        await tamper(
            owner,
            "delete from audit_checkpoints where size = 40",
            "update audit_trees set checkpoint_size = 20",
        )
        await sign(app)
    else:
        await restore_backup(owner, events, 20)
        if attack == "old backup, written on":
            await write(app, *(event(STREAMS[0], n) for n in range(30)))
            await sign(app)
    alone = await verify(app)

    kept = read_kept((await BucketAnchor(bucket.place, years=7).kept()).items())
    verdict = await verify(app, anchors=kept.notes)

    assert alone.verified
    assert verdict.kind is kind
    assert verdict.first is not None
    assert (verdict.first.leaf, verdict.first.until) == (20, 40)


def test_an_auditor_fetches_it_all_with_nothing_but_the_bucket(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = bucket.place
    for body in (b"one", b"two"):
        bucket.client.put_object(Bucket=place.bucket, Key="logs/miyabi/x/7.note", Body=body)
    monkeypatch.chdir(tmp_path)
    fields = ("bucket", "prefix", "region", "endpoint", "access_key", "secret_key")
    for name in fields:
        monkeypatch.setenv(f"MIYABI_ANCHORS_S3_{name}".upper(), str(getattr(place, name)))

    fetched = CliRunner().invoke(cli.app, ["audit", "kept", "kept", "--json"])
    bucket.client.put_object(Bucket=place.bucket, Key="logs/miyabi/../../7.note", Body=b"a trap")
    trapped = CliRunner().invoke(cli.app, ["audit", "kept", "kept", "--json"])

    assert (fetched.exit_code, trapped.exit_code) == (0, 3)
    assert not (tmp_path / "7.note").exists()
    assert len(json.loads(fetched.stdout)["files"]) == 2
    found = [each.read_bytes() for each in sorted((tmp_path / "kept").rglob("*.note"))]
    assert sorted(found) == [b"one", b"two"]


# Time stamps


async def with_stamps(app: AsyncEngine, authority: Authority, *notes: str) -> Verdict:
    async with app.connect() as connection:
        tokens = [each.token for each in await stamps(connection, ORGANISATION)]
    given = Stamps(tokens, read_certificates(authority.certificate.read_bytes()))
    return await verify_database(app, KEYS, anchors=notes or None, stamps=given)


async def test_a_time_stamp_says_when_a_checkpoint_was_there(
    app: AsyncEngine, owner: AsyncEngine, authority: Authority, tmp_path: Path
) -> None:
    anchor = Timestamps(authority.url, trusted(authority.certificate))
    authority.away = True
    await down_and_back(app, owner, anchor, well=lambda: setattr(authority, "away", False))
    made = await grow(app)
    await carry(app, anchor)
    await forget_receipts(owner)
    await carry(app, anchor)  # again: another stamp of the same

    by_database = await with_stamps(app, authority)
    by_note = await with_stamps(app, authority, made)

    for verdict in (by_database, by_note):
        [stamp] = verdict.stamps
        assert (verdict.kind, verdict.unanchored, stamp.size) == (None, 0, 3)
        assert "Example Time Stamps" in stamp.authority
        moment = datetime.fromisoformat(stamp.at)
        assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)

    stranger = make_authority(tmp_path / "stranger")
    refused = await with_stamps(app, stranger, made)
    assert (refused.kind, refused.stamps) == (Kind.BAD_SIGNATURE, [])


async def test_a_stamp_that_does_not_hold_is_not_taken(
    app: AsyncEngine, authority: Authority, tmp_path: Path
) -> None:
    await grow(app)
    stranger = make_authority(tmp_path / "stranger")

    done = await carry(app, Timestamps(authority.url, trusted(stranger.certificate)))

    assert isinstance(done, Failure)
    assert "does not hold" in done.why


async def test_a_stamp_without_certificates_is_verified_by_the_authoritys_own(
    app: AsyncEngine, authority: Authority, tmp_path: Path
) -> None:
    """Some authorities send theirs in an order that a strict reader refuses."""
    made, chain = await grow(app), tmp_path / "chain.pem"
    own = (authority.folder / "tsa.pem").read_bytes()
    chain.write_bytes(authority.certificate.read_bytes() + own)
    await carry(app, Timestamps(authority.url, trusted(chain)))
    async with app.connect() as connection:
        tokens = [each.token for each in await stamps(connection, ORGANISATION)]

    def given(pem: bytes) -> Stamps:
        return Stamps(tokens, read_certificates(pem))

    held = await verify_database(app, KEYS, anchors=[made], stamps=given(chain.read_bytes()))
    alone = await with_stamps(app, authority, made)

    assert (held.kind, len(held.stamps)) == (None, 1)
    assert (alone.kind, alone.stamps) == (Kind.MALFORMED, [])


async def test_a_stamp_of_what_is_no_longer_there_is_found(
    app: AsyncEngine, owner: AsyncEngine, authority: Authority
) -> None:
    await grow(app)
    await carry(app, Timestamps(authority.url, trusted(authority.certificate)))
    async with app.connect() as connection:
        tokens = [each.token for each in await stamps(connection, ORGANISATION)]
    given = Stamps(tokens, read_certificates(authority.certificate.read_bytes()))
    await tamper(owner, "update audit_checkpoints set note = replace(note, 'time 2', 'time 3')")

    verdict = await verify_database(app, KEYS, stamps=given)

    assert Kind.INCONSISTENT in verdict.counts
    assert any("not here" in each.about for each in verdict.faults)


async def test_a_note_that_says_a_later_time_than_its_stamp_is_found(
    app: AsyncEngine, authority: Authority
) -> None:
    await write(app, event(uuid7()))
    async with app.connect() as connection:
        tree = await head(connection, ORGANISATION)
    assert tree is not None
    later = datetime.now(UTC) + timedelta(hours=1)
    words = checkpoint_text(ORGANISATION, tree.size, tree.root, later)
    signed = note(words, [signature_line(KEY.name, KEY.id, KEY.key.sign(words.encode()))])
    parcel = Parcel(ORGANISATION, [Signed(tree.size, tree.root, signed)])
    receipt = await Timestamps(authority.url, trusted(authority.certificate)).put(parcel)
    assert receipt.token is not None
    given = Stamps([receipt.token], read_certificates(authority.certificate.read_bytes()))

    verdict = await verify_database(app, KEYS, anchors=[signed], stamps=given)

    assert verdict.kind is Kind.INCONSISTENT
    assert "its time stamp" in (verdict.first.about if verdict.first else "")


# A mailbox


async def test_a_mail_has_all_that_it_takes_to_verify(
    app: AsyncEngine, owner: AsyncEngine, mailbox: Mailbox, authority: Authority
) -> None:
    stamper = Timestamps(authority.url, trusted(authority.certificate))
    anchor = by_mail(mailbox)
    for _ in range(2):
        made = await grow(app)
        await carry(app, stamper)
        await carry(app, anchor, stamps=stamper.name)

    first, last = mailbox.messages
    kept = read_kept([("a.eml", mailbox.mails[1])])
    given = Stamps(kept.stamps, read_certificates(authority.certificate.read_bytes()))
    verdict = await verify_database(app, KEYS, anchors=kept.notes, stamps=given)

    assert kept.notes == [made]
    assert (verdict.kind, verdict.unanchored, len(verdict.stamps)) == (None, 0, 1)
    assert [part.get_filename() for part in last.iter_attachments()] == [
        "2.note",
        "1-2.json",
        "2.tsr",
    ]
    assert first["Message-ID"] != last["Message-ID"]
    assert last["To"] == "auditor@example.jp"


async def test_a_bundle_is_held_against_mails_and_time_stamps_offline(
    app: AsyncEngine, owner: AsyncEngine, mailbox: Mailbox, authority: Authority, tmp_path: Path
) -> None:
    stamper, log = Timestamps(authority.url, trusted(authority.certificate)), tmp_path / "log.zip"
    await grow(app)
    await carry(app, stamper)
    await carry(app, by_mail(mailbox), stamps=stamper.name)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mail.eml").write_bytes(mailbox.mails[0])
    kept = read_anchors([tmp_path / "kept"], authority.certificate)
    given = kept.stamps
    assert read_anchors([tmp_path / "kept"], None).unread == 1
    async with app.connect() as connection:
        await export(connection, ORGANISATION, log)

    whole = verify_bundle(log, KEYS, anchors=kept.notes, stamps=given)
    by_own_note = verify_bundle(log, KEYS, stamps=given)
    await tamper(owner, "delete from audit_events")
    for table in ("streams", "tiles", "trees", "checkpoints", "pending"):
        await tamper(owner, f"delete from audit_{table}")
    await grow(app)
    async with app.connect() as connection:
        await export(connection, ORGANISATION, log)
    other = verify_bundle(log, KEYS, anchors=kept.notes)
    unknown = verify_bundle(log, KEYS, stamps=given)

    assert (whole.kind, whole.unanchored, len(whole.stamps)) == (None, 0, 1)
    assert (by_own_note.kind, len(by_own_note.stamps)) == (None, 1)
    assert (other.kind, unknown.kind) == (Kind.INCONSISTENT, Kind.MISSING)


async def test_the_same_checkpoint_is_the_same_mail(
    app: AsyncEngine, owner: AsyncEngine, mailbox: Mailbox
) -> None:
    mailbox.away = True
    anchor = by_mail(mailbox)
    await down_and_back(app, owner, anchor, well=lambda: setattr(mailbox, "away", False))
    await forget_receipts(owner)
    await carry(app, anchor)

    one, again = mailbox.messages
    assert one["Message-ID"] == again["Message-ID"]
    assert one["Message-ID"].endswith("@example.co.jp>")


async def test_a_password_is_told_to_nobody_but_the_server(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    await grow(app)
    with receiving(password=PASSWORD) as mailbox, capture_logs() as said:
        right = by_mail(mailbox, user="miyabi", password=PASSWORD)
        wrong = by_mail(mailbox, user="miyabi", password=PASSWORD + "x")
        refused = await carry(app, wrong)  # by a server that repeats it
        await make_due(owner)
        assert isinstance(await carry(app, right), Receipt)
        assert len(mailbox.mails) == 1

    assert isinstance(refused, Failure)
    assert "535" in refused.why
    assert PASSWORD not in f"{said}{await everything_said(owner)}{refused}{right!r}{wrong!r}"
