"""Mail is taken by HTTP where it is signed, lately, for that mailbox."""

import hmac
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from core.platform import Opening
from core.settings import EmailSettings, Settings
from miyabi.plugins import all_platforms
from tests.bot.email.ways.conftest import Post
from tests.running import at_port
from web.app import create_app

RAW = b"From: a@example.jp\r\nSubject: \xe6\xb3\x95\r\n\r\n\x00\xff\r\n"
ADDRESS = "post@miyabi.example"
SECRET = "hush"
MOST = 3 * 1024 * 1024  # bytes; other bodies may have one million


async def _no_file(*_: object) -> bytes:
    raise AssertionError


@dataclass
class Web:
    """The web process, as providers see it."""

    url: str
    client: aiohttp.ClientSession

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        url = URL(self.url + path, encoded=True)
        async with self.client.post(url, data=body, headers=headers) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def web(post: Post, tmp_path: Path) -> AsyncIterator[Web]:
    settings = Settings(home=tmp_path, email=EmailSettings(most_bytes=MOST))
    app = create_app(Opening(settings, post.house, _no_file), [all_platforms()["email"]])
    await post.another_box(ADDRESS, secrets={"post_secret": SECRET})
    async with at_port(app) as url, aiohttp.ClientSession() as client:
        yield Web(url, client)


def signed(body: bytes, secret: str = SECRET, ago: int = 0) -> dict[str, str]:
    at = str(int(time.time()) - ago)
    signature = hmac.new(secret.encode(), at.encode() + b"." + body, sha256).hexdigest()
    return {"X-Miyabi-Timestamp": at, "X-Miyabi-Signature": f"sha256={signature}"}


async def test_a_signed_mail_is_stored_once(post: Post, web: Web) -> None:
    first = await web.post(f"/email/inbound/{ADDRESS}", RAW, signed(RAW))
    again = await web.post("/email/inbound/Post%2B1@miyabi.example", RAW, signed(RAW))

    [row] = await post.rows("select id, came_by, envelope_from, envelope_to from mails")
    assert first == (200, f"{row.id}\n")
    assert again == (200, "known\n")
    assert (row.came_by, row.envelope_from, row.envelope_to) == ("http", None, [])
    assert await post.contents() == [RAW]


async def test_anything_else_is_refused(post: Post, web: Web) -> None:
    now = str(int(time.time()) + 1)
    others = [
        (ADDRESS, {}),
        (ADDRESS, signed(RAW, "wrong")),
        (ADDRESS, signed(RAW + b"x")),
        (ADDRESS, {**signed(RAW), "X-Miyabi-Timestamp": now}),
        (ADDRESS, signed(RAW, ago=400)),
        (ADDRESS, signed(RAW, ago=-400)),
        (ADDRESS, {**signed(RAW), "X-Miyabi-Timestamp": "９"}),
        ("nobody@miyabi.example", signed(RAW)),
        ("%00%FF@miyabi.example", signed(RAW)),
        ("quote@miyabi.example", signed(RAW, "")),  # takes no mail this way
    ]
    answers = [await web.post(f"/email/inbound/{to}", RAW, headers) for to, headers in others]

    assert answers == [(401, "signature\n")] * len(others)
    assert await post.contents() == []


async def test_a_mail_may_be_larger_than_other_bodies_to_its_own_limit(
    post: Post, web: Web
) -> None:
    sizes = (MOST, MOST + 1)
    mails = [RAW.ljust(size, b"x") for size in sizes]
    answers = [await web.post(f"/email/inbound/{ADDRESS}", mail, signed(mail)) for mail in mails]

    assert [status for status, _ in answers] == [200, 413]
    assert (await web.post("/email/other", mails[0], {}))[0] == 413
    assert await post.contents() == mails[:1]
