"""`miyabi mail box …`: mailboxes are added, shown, changed and removed; secrets are never said."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bot.email import boxes
from bot.email.boxes import Box, OAuth, Server, Trust
from core import organisations
from core.company import Company
from core.errors import Refused
from core.house import House
from core.ids import new_id
from core.settings import Settings
from core.unit import unit
from miyabi.build import open_house
from miyabi.cli import app
from miyabi.commands.mail_options import Given, checked, settled
from miyabi.embedded import Services

KEY = "A" * 43 + "="
BARE = Box(new_id(), new_id(), "default", "quote@abc.example", plus=False)
LOGIN = "https://login.microsoftonline.com/abc/oauth2/v2.0/token"


def test_a_provider_presets_what_is_known_of_it() -> None:
    google = settled(BARE, Given(provider="google", purpose="quote"))
    assert google.imap == Server("imap.gmail.com", 993, "quote@abc.example", "tls")
    assert google.smtp == Server("smtp.gmail.com", 465, "quote@abc.example", "tls")
    assert (google.trust, google.plus) == (Trust(("mx.google.com",)), True)
    assert (google.purpose, google.oauth) == ("quote", None)

    microsoft = settled(BARE, Given(provider="microsoft", tenant="abc", client_id="app"))
    assert microsoft.oauth == OAuth(LOGIN, "app", "https://outlook.office365.com/.default")
    assert microsoft.smtp == Server(
        "smtp.office365.com", 587, "quote@abc.example", "starttls", oauth2=True
    )
    assert microsoft.trust == Trust(topmost=True)

    sakura = settled(BARE, Given(provider="sakura", host="abc.sakura.ne.jp", user="quote"))
    assert sakura.imap == Server("abc.sakura.ne.jp", 993, "quote", "tls")
    assert sakura.smtp == Server("abc.sakura.ne.jp", 587, "quote", "starttls")
    assert (sakura.trust, sakura.plus) == (Trust(), False)


def test_what_is_given_goes_first_and_what_is_not_stays() -> None:
    box = settled(BARE, Given(imap_host="mail.abc.example", user="quote", plus=True))
    assert (box.imap, box.smtp) == (Server("mail.abc.example", 993, "quote"), None)

    more = settled(box, Given(smtp_host="mail.abc.example", smtp_port=25, smtp_security="none"))
    assert more.imap == box.imap
    assert more.smtp == Server("mail.abc.example", 25, "quote", "none")
    assert settled(more, Given()) == more
    assert settled(more, Given(user="")).smtp == Server("mail.abc.example", 25, "", "none")
    trusting = settled(more, Given(authserv_id=["MX.abc.example"], domain=["ABC.example"]))
    assert trusting.trust == Trust(("mx.abc.example",), domains=("abc.example",))
    assert settled(trusting, Given(authserv_id=[""], dkim=False)).trust == Trust(
        domains=("abc.example",), dkim=False
    )
    assert settled(trusting, Given(imap_host="", smtp_host="", moves_to="Done")) == replace(
        trusting, imap=None, smtp=None, moves_to="Done"
    )


@pytest.mark.parametrize(
    "given",
    [
        Given(provider="xserver"),
        Given(provider="microsoft", client_id="app"),
        Given(provider="microsoft", tenant="abc"),
        Given(imap_host="x.example", oauth=True, client_id="app", token_url="http://x.example"),
        Given(domain=["a b"]),
        Given(domain=["abc.example", "Gmail.com"]),
    ],
)
def test_what_is_missing_is_told(given: Given) -> None:
    with pytest.raises(Refused):
        settled(BARE, given)


@pytest.mark.parametrize("address", ["quote", "a+b@abc.example", "a b@abc.example", "a@b@c.d", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(Refused):
        checked(address)


Run = Callable[..., Awaitable[str]]


@pytest.fixture
def miyabi(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """`miyabi mail box …` in this process; gives what it said."""
    monkeypatch.chdir(tmp_path)
    # It would be how everything logs in this process from now on.
    monkeypatch.setattr("miyabi.logs.configure", lambda **_: None)
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "MIYABI_HOME": str(tmp_path),
        "MIYABI_SECRET_KEY": KEY,
        "LC_ALL": "ja_JP.UTF-8",
    }

    async def run(*arguments: str, typed: str = "", code: int = 0) -> str:
        done = await asyncio.to_thread(
            CliRunner().invoke, app, ["mail", "box", *arguments], input=typed, env=environment
        )
        assert done.exit_code == code, done.output
        return done.output

    return run


async def _within(
    database_url: str, redis_url: str, home: Path, act: Callable[[House], Awaitable[Any]]
) -> Any:
    settings = Settings(
        home=home,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        secret_key=SecretStr(KEY),
    )
    services = Services(database_url, database_url, redis_url)
    async with open_house(settings, services) as built:
        return await act(built.house)


async def test_a_mailbox_is_added_shown_changed_and_removed(
    miyabi: Run, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async def found(house: House) -> Sequence[Box]:
        return await boxes.all_boxes(house)

    async def hire(house: House) -> None:
        async with unit(house) as work:
            await organisations.add(work, "default", Company("みやび商会"))

    at = (database_url, redis_url, tmp_path)
    await _within(*at, hire)

    said = await miyabi("list")
    said += await miyabi("add", "Quote@ABC.example", "--provider", "google", "--purpose", "quote",
                         "--domain", "abc.example", typed="hush hush\n")  # fmt: skip
    said += await miyabi("add", "quote@abc.example", code=3)
    posted = json.loads(await miyabi("add", "in@abc.example", "--post", "--json"))
    said += await miyabi("set", "quote@abc.example", "--authserv-id", "mx.abc.example",
                         "--no-plus")  # fmt: skip
    said += await miyabi("set", "none@abc.example", "--plus", code=3)
    shown = json.loads(await miyabi("show", "quote@abc.example", "--json"))
    listed = json.loads(await miyabi("list", "--json"))["mailboxes"]

    quote, post = await _within(*at, found)
    assert quote.secrets == {"imap_password": "hush hush", "smtp_password": "hush hush"}
    assert quote.trust == Trust(("mx.abc.example",), domains=("abc.example",))
    assert (quote.purpose, quote.plus) == ("quote", False)
    assert (post.imap, post.smtp, post.secrets) == (
        None, None, {"post_secret": posted["post_secret"]},
    )  # fmt: skip
    assert len(posted["post_secret"]) == 43
    assert shown["secrets"] == ["imap_password", "smtp_password"]
    assert [each["address"] for each in listed] == ["quote@abc.example", "in@abc.example"]
    read = await miyabi("show", "quote@abc.example")
    assert "trust.authserv_ids   mx.abc.example\n" in read
    assert "imap.host            imap.gmail.com\n" in read
    said += read + await miyabi("list")
    assert "hush" not in said
    assert posted["post_secret"] not in said

    await miyabi("set", "quote@abc.example", "--secrets", typed="another\n")
    await miyabi("remove", "in@abc.example")
    await miyabi("remove", "in@abc.example", code=3)
    [quote] = await _within(*at, found)
    assert quote.secrets["imap_password"] == "another"
