"""What workers do for anchors: each in a loop of its own, and none of them in anybody's way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from audit import log
from audit.anchored import reach
from audit.anchors import AnchorAway, FileAnchor, Parcel, Receipt
from audit.checkpoints import newest
from audit.event import Event
from audit.keys import HeldKey
from audit.note import NoteKey
from core.anchor_settings import AnchorSettings
from core.db import create_engine
from core.errors import Permanent
from core.settings import WrongSettings, read_settings
from miyabi.anchors import Anchors, anchors, keep_anchors
from miyabi.tree import keep_tree
from tests.audit.happening import Happening
from tests.miyabi.yard import until

ORGANISATION = uuid7()


@dataclass(frozen=True, slots=True)
class Troubled:
    """An anchor that hangs, is away, or breaks in a way that nobody foresaw."""

    name: str
    error: Exception | None = None
    each: bool = True
    stamps: bool = False
    patience: float = 60.0

    async def put(self, parcel: Parcel) -> Receipt:
        if self.error is None:
            await asyncio.Event().wait()
        raise self.error or AssertionError


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def test_an_anchor_in_trouble_holds_up_neither_the_tree_nor_the_others(
    app: AsyncEngine, tmp_path: Path
) -> None:
    troubled = [
        Troubled("hangs"),
        Troubled("away", AnchorAway("it is away")),
        Troubled("breaks", ValueError("nobody foresaw this")),
    ]
    file = FileAnchor(tmp_path / "checkpoints")
    known = Anchors([*troubled, file], timedelta(minutes=10))
    with capture_logs() as said:
        keepers = [
            asyncio.create_task(keep_tree(app, [HeldKey(NoteKey.made("miyabi"))])),
            asyncio.create_task(keep_anchors(app, known)),
            asyncio.create_task(keep_anchors(app, known)),  # another worker's
        ]
        async with app.begin() as connection:
            event = Event(ORGANISATION, uuid7(), Happening.HAPPENED, {"n": 1})
            await log.append(connection, [event])

        async def carried() -> bool:
            events = [each["event"] for each in said]
            async with app.connect() as connection:
                sizes = [each.size for each in await reach(connection, ["file"])]
            return (
                sizes == [1]
                and "audit.anchor_away" in events
                and "audit.anchoring_crashed" in events
            )

        await until(carried, 30)
        for keeper in keepers:
            keeper.cancel()
        await asyncio.wait(keepers)

    async with app.connect() as connection:
        checkpoint = await newest(connection, ORGANISATION)
        found = {each.anchor: each for each in await reach(connection, known.names)}
    assert checkpoint is not None
    assert {name: each.size for name, each in found.items()} == {
        "hangs": 0,
        "away": 0,
        "breaks": 0,
        "file": 1,
    }
    assert found["away"].error == "it is away"
    assert (tmp_path / "checkpoints").read_text("utf-8") == checkpoint.note + "\n"


def test_each_kind_is_set_up_by_settings_that_show_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "miyabi.toml").write_text(
        '[anchors]\nfile = "checkpoints"\nevery_minutes = 3\ns3_bucket = "b"\n'
        'smtp_host = "smtp.example.jp"\nmail_from = "a@example.jp"\nmail_to = "b@example.jp"\n'
    )
    monkeypatch.setenv("MIYABI_ANCHORS_SMTP_PASSWORD", "hidden-1")
    monkeypatch.setenv("MIYABI_ANCHORS_S3_ACCESS_KEY", "AKIA")
    monkeypatch.setenv("MIYABI_ANCHORS_S3_SECRET_KEY", "hidden-2")
    settings = read_settings()

    found = anchors(settings.anchors)

    assert (found.names, found.stamps) == (["file", "s3", "mail"], None)
    assert (found.pace("file"), found.pace("mail")) == (timedelta(0), timedelta(minutes=3))
    assert "hidden" not in f"{settings!r}{found!r}"


def test_a_container_has_them_as_json_and_its_secrets_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIYABI_ANCHORS", '{"s3_bucket": "b", "s3_access_key": "AKIA"}')
    monkeypatch.setenv("MIYABI_ANCHORS_S3_SECRET_KEY", "hidden")
    monkeypatch.setenv("MIYABI_ANCHORS_SMTP_PASSWORD", "")

    settings = read_settings()

    assert anchors(settings.anchors).names == ["s3"]
    assert settings.anchors.s3_secret_key is not None


@pytest.mark.parametrize(
    "written",
    [
        'tsa_url = "https://tsa.example.jp"',
        's3_access_key = "x"',
        'smtp_host = "smtp.example.jp"',
        'smtp_security = "none"\nsmtp_password = "x"',
        'fille = "x"',
    ],
)
def test_an_anchor_that_is_set_by_half_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "miyabi.toml").write_text(f"[anchors]\n{written}\n")

    with pytest.raises(WrongSettings, match="anchors"):
        read_settings()


def test_a_certificate_that_cant_be_read_is_told_of(tmp_path: Path) -> None:
    settings = AnchorSettings(tsa_url="https://tsa.example.jp", tsa_certificate=tmp_path / "none")

    with pytest.raises(Permanent) as caught:
        anchors(settings)

    assert str(tmp_path / "none") in caught.value.words.en
