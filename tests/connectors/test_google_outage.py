"""Promises of the copy kept of a Google Sheet: how fresh it is, and what an outage looks like."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import Permanent, TryLater
from tests.fakes.google_sheets.account import Account
from tests.fakes.google_sheets.sample import Clock, Open, edit, eventually
from tests.fakes.google_sheets.server import FakeGoogle, Hang, Reset, Status


async def test_within_the_ttl_nothing_is_asked(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet(ttl="60")
    first = await source.read()
    clock.forward(seconds=59)

    assert await source.read() is first
    assert len(google.requests) == 1


async def test_callers_at_the_same_time_share_one_request(google: FakeGoogle, sheet: Open) -> None:
    source = sheet()

    read = await asyncio.gather(*(source.read() for _ in range(20)))

    assert len(google.requests) == 1
    assert len({id(catalogue) for catalogue in read}) == 1


async def test_past_the_ttl_the_copy_is_given_at_once_and_renewed_behind_it(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet(ttl="60")
    first = await source.read()
    edit(google, 29800)
    clock.forward(seconds=61)

    assert await source.read() is first

    await eventually(source, lambda catalogue: catalogue.items[2].unit_price == 29800)
    assert (len(google.requests), google.tokens) == (2, 1)


async def test_a_copy_much_older_than_the_ttl_is_not_given_before_asking(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet(ttl="60")
    await source.read()
    edit(google, 29800)
    clock.forward(hours=15)

    assert (await source.read()).items[2].unit_price == 29800


@pytest.mark.parametrize(
    "trouble",
    [
        Status(429, retry_after="30"),
        Status(500),
        Status(503),
        Status(502, body="<html>bad gateway</html>"),
        Status(503, body='{"error": "a proxy\'s own form"}'),
        Status(200, body="<html>log in to the guest network</html>"),
        Status(200, body='{"valueRanges": "?"}'),
        Status(403, reason="RATE_LIMIT_EXCEEDED"),
        Reset(),
    ],
    ids=str,
)
async def test_while_google_fails_the_last_good_copy_is_given_with_a_note(
    google: FakeGoogle, sheet: Open, clock: Clock, trouble: Status | Reset
) -> None:
    source = sheet()
    first = await source.read()
    google.trouble = trouble
    clock.forward(hours=1)

    stale = await source.read()

    assert (stale.items, stale.customers) == (first.items, first.customers)
    assert stale.note is not None
    assert stale.note.ja == "Google に接続できないため、11/25 10:32 時点の価格表です"
    assert "2026-11-25 10:32" in stale.note.en
    assert "11/25 10:32" in stale.note.zh


async def test_while_nobody_listens_at_google_the_copy_is_given_with_a_note(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet(time_zone="Europe/Paris")
    await source.read()
    await google.stop()
    clock.forward(hours=1)

    note = (await source.read()).note

    assert note is not None
    assert "11/25 02:32" in note.ja


async def test_a_google_that_hangs_holds_nobody_up_for_long(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet(timeout="0.5")
    await source.read()
    google.trouble = Hang()
    clock.forward(hours=1)

    async with asyncio.timeout(3):
        assert (await source.read()).note is not None


async def test_a_refresh_that_fails_in_the_background_shows_in_the_next_answer(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet(ttl="60")
    await source.read()
    google.trouble = Status(503)
    clock.forward(seconds=61)

    assert (await source.read()).note is None

    await eventually(source, lambda catalogue: catalogue.note is not None)


async def test_the_note_goes_when_google_is_back(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet()
    await source.read()
    google.trouble = Status(503)
    clock.forward(hours=1)
    await source.read()
    google.trouble = None
    edit(google, 29800)
    clock.forward(seconds=3)

    back = await source.read()

    assert (back.note, back.items[2].unit_price) == (None, 29800)


@pytest.mark.parametrize("named", ["300", "Wed, 25 Nov 2099 00:00:00 GMT"])
async def test_the_rest_google_asks_for_is_kept(
    google: FakeGoogle, sheet: Open, clock: Clock, named: str
) -> None:
    source = sheet()
    await source.read()
    google.trouble = Status(429, retry_after=named)
    clock.forward(hours=1)
    await source.read()
    clock.forward(seconds=299)

    for _ in range(3):
        assert (await source.read()).note is not None

    assert len(google.requests) == 2


async def test_a_google_that_stays_down_is_asked_less_and_less_often(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet()
    await source.read()
    google.trouble = Status(503)
    clock.forward(hours=1)

    for _ in range(120):
        await source.read()
        clock.forward(seconds=1)

    # After 2, 4, 8, 16, 32 and then every 60 seconds.
    assert len(google.requests) - 1 == 6


async def test_the_copy_outlives_a_restart(google: FakeGoogle, sheet: Open, clock: Clock) -> None:
    first = await sheet().read()
    await google.stop()
    clock.forward(hours=1)

    stale = await sheet().read()

    assert (stale.items, stale.customers, stale.read_at) == (
        first.items,
        first.customers,
        first.read_at,
    )
    assert stale.note is not None
    assert "10:32" in stale.note.ja


async def test_after_a_restart_google_is_asked_before_the_old_copy_is_used(
    google: FakeGoogle, sheet: Open
) -> None:
    await sheet().read()
    edit(google, 29800)

    read = await sheet().read()

    assert (read.note, read.items[2].unit_price) == (None, 29800)


async def test_only_the_owner_may_read_the_copy_and_another_account_never_gets_it(
    google: FakeGoogle, sheet: Open, tmp_path: Path
) -> None:
    await sheet().read()
    (kept,) = (tmp_path / "kept").iterdir()
    await google.stop()

    assert kept.stat().st_mode & 0o077 == 0
    with pytest.raises(TryLater):
        await sheet(service_account=json.dumps(Account(email="x@y.example").info())).read()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 99}', "\0\xff"])
async def test_a_damaged_copy_is_as_good_as_none(
    google: FakeGoogle, sheet: Open, tmp_path: Path, content: str
) -> None:
    await sheet().read()
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_text(content, encoding="latin-1")
    google.trouble = Status(503)

    with pytest.raises(TryLater):
        await sheet().read()


async def test_a_copy_that_cannot_be_kept_stops_nothing(sheet: Open, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert (await sheet(cache_dir=str(tmp_path / "file" / "below")).read()).items


async def test_never_read_and_down_is_try_later_after_the_rest(
    google: FakeGoogle, sheet: Open
) -> None:
    google.trouble = Status(429, retry_after="42")
    source = sheet()

    with pytest.raises(TryLater, match="429") as caught:
        await source.read()
    assert caught.value.after == timedelta(seconds=42)
    with pytest.raises(TryLater):
        await source.read()

    assert len(google.requests) == 1


async def test_a_google_that_hangs_and_was_never_read_is_try_later(
    google: FakeGoogle, sheet: Open
) -> None:
    google.trouble = Hang()

    with pytest.raises(TryLater):
        await sheet(timeout="0.5").read()


async def test_a_broken_list_stops_the_task_though_there_is_a_copy_until_it_is_mended(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet()
    await source.read()
    edit(google, "応相談")
    clock.forward(hours=1)

    for _ in range(2):
        with pytest.raises(Permanent, match="応相談"):
            await source.read()
    google.trouble = Status(503)
    with pytest.raises(Permanent, match="応相談"):
        await source.read()
    google.trouble = None
    clock.forward(seconds=3)
    edit(google, 29800)

    # The card's retry finds the mended list at once, whatever the ttl.
    mended = await source.read()
    assert (mended.note, mended.items[2].unit_price) == (None, 29800)


async def test_access_that_was_taken_away_is_not_papered_over_with_the_copy(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet()
    await source.read()
    google.trouble = Status(403)
    clock.forward(hours=1)

    with pytest.raises(Permanent, match="Share it with"):
        await source.read()
    google.trouble = None

    assert (await source.read()).note is None


async def test_an_access_token_that_ran_out_is_renewed(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    source = sheet()
    await source.read()
    google.forget_tokens()
    clock.forward(hours=1)

    assert (await source.read()).note is None
    assert google.tokens == 2


@pytest.mark.parametrize(
    "trouble", [Status(502, body="<html>bad gateway</html>"), Reset()], ids=str
)
async def test_a_sign_in_that_fails_is_an_outage(
    google: FakeGoogle, sheet: Open, trouble: Status | Reset
) -> None:
    google.token_trouble = trouble

    with pytest.raises(TryLater):
        await sheet().read()


async def test_the_wait_of_one_caller_can_be_cancelled_without_harm_to_the_others(
    google: FakeGoogle, sheet: Open
) -> None:
    source = sheet()
    impatient = asyncio.create_task(source.read())
    patient = asyncio.create_task(source.read())
    await asyncio.sleep(0)
    impatient.cancel()

    assert (await patient).items
    assert len(google.requests) == 1
