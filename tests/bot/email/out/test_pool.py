"""Connections are kept, few, not for ever, private, and replaced when they are gone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.email.boxes import Box, Server
from bot.email.compose import Draft, compose
from bot.email.pool import Pool
from bot.email.smtp import Way, way_of
from core.errors import TryLater
from core.ids import new_id
from core.settings import EmailSettings
from tests.fakes.mail.smtp import OutsideServer, outside_server, trust_file

BOX = Box(new_id(), new_id(), "acme", "quote@miyabi.example")
LETTER = compose(
    Draft(
        "<1@miyabi.example>",
        BOX.address,
        "Miyabi",
        "asker@acme.example",
        "Hello",
        datetime(2026, 11, 26, tzinfo=UTC),
        ".\n..\nHello",
        "<p>Hello</p>",
    )
)


@pytest.fixture(autouse=True)
def _believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trust_file(tmp_path)))


@pytest.fixture
async def outside() -> AsyncIterator[OutsideServer]:
    async with outside_server() as outside:
        yield outside
    assert not outside.wrong


async def _token(box: Box) -> str:
    return "a token"


def _way(outside: OutsideServer, **options: object) -> Way:
    server = Server(outside.host, outside.port, "quote", "starttls")
    box = replace(BOX, smtp=server, secrets={"smtp_password": outside.password})
    way = way_of(box, EmailSettings())
    assert way is not None
    return replace(way, **options)  # type: ignore[arg-type]


class Desk:
    """A pool, and how often a letter was about to be handed over by it."""

    def __init__(self, **options: float) -> None:
        self.forgotten: list[Box] = []
        self.pool = Pool(_token, self.forgotten.append, **options)  # type: ignore[arg-type]
        self.begun = 0

    async def send(self, way: Way) -> str:
        async def about_to() -> None:
            self.begun += 1

        return await self.pool.send(
            way, "quote+b@miyabi.example", "asker@acme.example", LETTER, about_to
        )


async def test_one_connection_takes_many_letters_and_is_replaced_when_it_is_gone(
    outside: OutsideServer,
) -> None:
    desk, way = Desk(), _way(outside)
    assert await desk.send(way) == "2.0.0 taken"
    await desk.send(way)
    assert (outside.connections, outside.resets) == (1, 1)
    outside.hang_up()
    await desk.send(way)
    assert outside.connections == 2
    outside.answers = {"MAIL": ["421 4.7.0 too many"]}
    await desk.send(way)
    assert outside.connections == 3
    assert outside.logins == ["quote plain"] * 3
    # What a refusal leaves behind is cleared up before the next letter.
    outside.answers = {"RCPT": ["450 4.2.1 later"]}
    with pytest.raises(TryLater):
        await desk.send(way)
    await desk.send(way)
    assert outside.connections == 3
    assert (len(outside.letters), desk.begun) == (5, 5)
    assert all(letter.content == LETTER for letter in outside.letters)
    await desk.pool.close()


@pytest.mark.parametrize("limit", [{"most_letters": 2}, {"oldest": -1.0}])
async def test_a_connection_is_not_used_for_ever(
    outside: OutsideServer, limit: dict[str, float]
) -> None:
    desk, way = Desk(**limit), _way(outside)
    for _ in range(4):
        await desk.send(way)
    assert outside.connections == (2 if "most_letters" in limit else 4)
    await desk.pool.close()


async def test_nothing_is_said_to_a_server_without_tls_or_that_is_not_believed(
    outside: OutsideServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with outside_server(security="none") as bare:
        desk = Desk()
        with pytest.raises(TryLater, match="STARTTLS"):
            await desk.send(_way(bare))
        assert (bare.logins, bare.letters) == ([], [])
        await desk.send(_way(bare, security="none", user=""))
        assert len(bare.letters) == 1
        await desk.pool.close()
    empty = tmp_path / "nobody.pem"
    empty.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(empty))
    desk = Desk()
    with pytest.raises(TryLater, match=r"(?i)certificate"):
        await desk.send(_way(outside))
    assert (outside.logins, outside.letters) == ([], [])


async def test_tls_from_the_first_byte_and_tokens_in_place_of_passwords() -> None:
    async with outside_server(security="tls") as outside:
        desk, way = Desk(), _way(outside, security="tls", oauth2=True)
        with pytest.raises(TryLater, match="Bad token"):
            await desk.send(way)
        assert desk.forgotten == [way.box]
        outside.tokens = {"a token"}
        await desk.send(way)
        assert outside.logins == ["quote xoauth2"] * 2
        assert outside.letters[0].private
        await desk.pool.close()


async def test_a_wrong_password_is_nobodys_fault_who_is_written_to(outside: OutsideServer) -> None:
    desk = Desk()
    with pytest.raises(TryLater, match="refuses the login"):
        await desk.send(_way(outside, password="wrong"))
    assert desk.begun == 0
