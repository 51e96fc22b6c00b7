"""The auditor's walk at the command line: verify, export, prove, and check elsewhere."""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from core.settings import Settings
from miyabi.embedded import embedded
from tests.miyabi.terminal import Terminal, open_terminal

# What the hub tells while the worker runs are events as well.
_ALL_IS_TOLD = """
    select not exists (select from notices where fanned_at is null)
        and not exists (select from dispatches where state in ('queued', 'sending'))
"""
_ALL_IS_CARRIED = """
    select not exists (select from audit_pending) and (select max(size) from audit_trees)
        = (select max(checkpoint_size) from audit_trees)
        and (select max(checkpoint_size) from audit_trees) = (select max(size) from audit_receipts)
"""


@pytest.fixture(scope="module")
def walk() -> Iterator[tuple[Terminal, str, str]]:
    """A house after its demo; its public key, and its owner's address."""
    with (
        open_terminal(running=False) as terminal,
        embedded(Settings(home=terminal.home), durable=False) as services,
    ):
        assert terminal.run("demo").code == 0
        [key] = terminal.run("audit", "key", "list", "--json").data["keys"]
        yield terminal, key["vkey"], services.owner_url


def test_the_log_is_verified_with_the_given_key_and_with_no_other(
    walk: tuple[Terminal, str, str], tmp_path: Path
) -> None:
    terminal, vkey, _ = walk
    keys = tmp_path / "keys.txt"
    keys.write_text(f"# of the auditor\n{vkey}\n")

    own = terminal.run("audit", "verify", "--json")
    given = terminal.run("audit", "verify", "--key", str(keys), "--json")
    none = terminal.run("audit", "verify", "--key", "nonsense")

    assert (own.code, given.code, none.code) == (0, 0, 3)
    assert own.data["heads"][0]["signers"] == ["miyabi"]
    assert own.data["leaves"] + own.data["unsequenced"] == own.data["events"] > 0
    assert terminal.run("audit", "verify", "--since", "2026-01-01", "--json").code == 0
    assert "異常なし" in terminal.run("audit", "verify").out


def test_a_bundle_and_a_proof_are_checked_elsewhere(
    walk: tuple[Terminal, str, str], tmp_path: Path
) -> None:
    terminal, vkey, url = walk
    path, proof = tmp_path / "log.zip", tmp_path / "event.json"
    exported = terminal.run("audit", "export", str(path), "--json")
    event = str(_value(url, "select events[1] from audit_tiles where level = 0"))
    assert terminal.run("audit", "prove", event, "--out", str(proof)).code == 0
    size = exported.data["size"]
    same = terminal.run("audit", "consistency", str(size), str(size))
    (tmp_path / "same.json").write_text(same.out)
    with open_terminal(running=False) as elsewhere:
        moved = path.rename(elsewhere.home / "away")
        whole = elsewhere.run("audit", "verify", "--bundle", str(moved), "--key", vkey, "--json")
        alone = elsewhere.run("audit", "verify", "--bundle", str(moved), "--json")
        proven = elsewhere.run("audit", "check", str(proof), "--key", vkey, "--json")
        said = elsewhere.run("audit", "check", str(proof), "--key", vkey, LC_ALL="en_US.UTF-8")
        continues = elsewhere.run("audit", "check", str(tmp_path / "same.json"), "--key", vkey)
        proof.write_text(proof.read_text().replace('"leaf":0', '"leaf":1'))
        false = elsewhere.run("audit", "check", str(proof), "--key", vkey, "--json")
        moved.write_bytes(moved.read_bytes()[:-1])
        cut = elsewhere.run("audit", "verify", "--bundle", str(moved), "--key", vkey)
        # Nothing but the file and the key was needed, and nothing was started.
        assert [each.name for each in elsewhere.home.iterdir()] == ["away"]

    assert (exported.code, whole.code, alone.code, proven.code) == (0, 0, 3, 0)
    assert whole.data["events"] == exported.data["end"]
    assert (proven.data["event"]["id"], proven.data["leaf"]) == (event, 0)
    assert "This event is leaf 0" in said.out
    assert continues.code == 0
    assert (false.code, false.data["kind"]) == (12, "modified")
    assert cut.code in {10, 12}


def test_a_worker_carries_and_it_is_shown_how_far_the_anchors_are(
    walk: tuple[Terminal, str, str], tmp_path: Path
) -> None:
    terminal, vkey, url = walk
    file = tmp_path / "mount"
    setting = {"MIYABI_ANCHORS_FILE": str(file)}
    _value(
        url,
        "set session_replication_role = replica;"
        " update audit_checkpoints set at = at - interval '1 hour'",
        fetch=False,
    )
    late = terminal.run("audit", "anchors", "--json", **setting)
    doctor = terminal.run("doctor", LC_ALL="en_US.UTF-8", **setting)
    worker = subprocess.Popen(
        [*terminal.command, "worker"],
        cwd=terminal.home,
        env=terminal.environment(**setting),
        stderr=subprocess.DEVNULL,
    )
    try:
        # What was read above is an event too, and may be signed after the first was carried.
        while not (_value(url, _ALL_IS_TOLD) and _value(url, _ALL_IS_CARRIED)):
            assert worker.poll() is None
            time.sleep(0.1)
    finally:
        worker.terminate()
        worker.wait(30)
    there = terminal.run("audit", "anchors", "--json", **setting)
    notes = tmp_path / "notes"
    notes.mkdir()
    file.rename(notes / "checkpoints")
    verified = terminal.run("audit", "verify", "--anchors", str(notes), "--key", vkey, "--json")

    assert (late.code, there.code) == (1, 0)
    [before], [after] = late.data["anchored"], there.data["anchored"]
    assert (before["size"], before["well"]) == (0, False)
    assert (after["anchor"], after["size"], after["well"]) == ("file", after["of"], True)
    # A worker writes events of its own: it may have told somebody something meanwhile.
    assert after["of"] >= before["of"] > 0
    assert "✕ Anchor file: up to 0 of" in doctor.out
    # What happened after the last was carried, as the worker came to its end, is a tail.
    assert verified.code == (19 if verified.data["unanchored"] else 0)
    assert verified.data["unanchored"] <= 2
    assert verified.data["anchored"][0]["size"] == after["size"]


def test_what_the_log_and_the_tables_do_not_both_say_is_told(
    walk: tuple[Terminal, str, str],
) -> None:
    terminal, _, url = walk
    whole = terminal.run("audit", "complete", "--json")
    [found] = whole.data["organisations"]
    assert (whole.code, found["lacking"]) == (0, 0)
    assert found["tasks"] > 0
    first = "where id = (select id from documents order by id limit 1)"
    _value(url, f"update documents set number = number || '-9' {first}", fetch=False)

    lacking = terminal.run("audit", "complete", "--since", "2026-01-01", "--json")
    doctor = terminal.run("doctor", LC_ALL="en_US.UTF-8")
    accepted = terminal.run("audit", "complete", "--accept", LC_ALL="en_US.UTF-8")
    _value(url, f"update documents set number = left(number, -2) {first}", fetch=False)

    assert (lacking.code, doctor.code, accepted.code) == (20, 1, 0)
    [told] = lacking.data["organisations"]
    assert told["kinds"] == ["document"]
    assert {each["lacks"] for each in told["first"]} == {"event", "row"}
    assert "Lacking: document." in doctor.out
    assert "stand on one side only" in accepted.out
    assert "-9: no event" in accepted.err


def test_anchors_tell_what_the_database_can_not(
    walk: tuple[Terminal, str, str], tmp_path: Path
) -> None:
    terminal, _, url = walk
    anchors = tmp_path / "anchors"
    assert terminal.run("audit", "anchor", str(anchors)).code == 0
    content = anchors.read_text()
    assert terminal.run("audit", "anchor", str(anchors)).code == 0
    assert anchors.read_text() == content  # what it has is not brought again

    anchored = terminal.run("audit", "verify", "--anchors", str(anchors), "--json")
    assert anchored.data["verified"]
    assert anchored.data["anchors"] == content.count("\ntime ")
    assert content.startswith("miyabi/")
    size = json.loads(content.splitlines()[1])
    _value(
        url,
        "set session_replication_role = replica;"
        " delete from audit_checkpoints; delete from audit_tiles; delete from audit_trees;"
        " delete from audit_events; delete from audit_streams; delete from audit_pending",
        fetch=False,
    )
    gone = terminal.run("audit", "verify", "--anchors", str(anchors), "--json")
    assert gone.data["counts"]["tail cut"] >= 1
    assert {fault["until"] for fault in gone.data["faults"]} >= {size}


def _value(url: str, statement: str, *, fetch: bool = True) -> object:
    """As somebody who owns the tables."""

    async def run() -> object:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return await (connection.fetchval if fetch else connection.execute)(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_the_archive_is_moved_and_held_at_the_command_line(
    walk: tuple[Terminal, str, str],
) -> None:
    terminal, _, url = walk
    hold = terminal.run("audit", "hold", "add", "--since", "2019-01-01", "a suit", "--json")
    [placed] = terminal.run("audit", "hold", "list", "--json").data["holds"]
    nothing = terminal.run("audit", "archive", LC_ALL="en_US.UTF-8")
    unknown = terminal.run("audit", "restore", "2019-01")
    expired = terminal.run("audit", "expire", "--json")
    released = terminal.run("audit", "hold", "release", hold.data["hold"])

    assert (placed["hold"], placed["since"], placed["reason"]) == (
        hold.data["hold"],
        "2019-01-01",
        "a suit",
    )
    assert (nothing.code, "No month is due" in nothing.out) == (0, True)
    assert (unknown.code, released.code) == (3, 0)
    assert expired.data == {"dropped": False, "months": [], "documents": []}
    assert _value(url, "select count(*) from audit_events where tag like 'admin:hold:%'") == 2
