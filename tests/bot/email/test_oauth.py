"""Access tokens: asked for once as long as they last, and renewed ones are kept."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.email import boxes
from bot.email.boxes import Box, OAuth
from bot.email.oauth import Tokens
from core.errors import Permanent, TryLater
from core.ids import new_id
from core.unit import unit
from tests.core.house import Office, open_office
from tests.running import at_port


@dataclass
class Issuer:
    """A provider's token endpoint."""

    url: str = ""
    lasts: int = 3600
    renews: bool = False
    answer: Response | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    async def token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.asked.append(form)
        if self.answer is not None:
            return self.answer
        number = len(self.asked)
        more = {"refresh_token": f"refresh {number}"} if self.renews else {}
        return JSONResponse({"access_token": f"a{number}", "expires_in": self.lasts, **more})


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    made = Issuer()
    async with at_port(Starlette(routes=[Route("/token", made.token, methods=["POST"])])) as url:
        made.url = f"{url}/token"
        yield made


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with open_office(database_url) as office:
        yield office


async def _box(office: Office, issuer: Issuer, **secrets: str) -> Box:
    box = Box(
        new_id(),
        office.organisation.id,
        office.organisation.slug,
        "quote@miyabi.example",
        oauth=OAuth(issuer.url, "client", "https://scope.example/.default"),
        secrets={"client_secret": "hush", **secrets},
    )
    async with unit(office.house) as work:
        await boxes.add(work, office.house, box)
    return box


async def test_an_applications_own_token_is_asked_for_once_until_it_is_refused(
    office: Office, issuer: Issuer
) -> None:
    tokens, box = Tokens(office.house), await _box(office, issuer)

    assert [await tokens.token(box) for _ in range(3)] == ["a1", "a1", "a1"]
    assert issuer.asked == [
        {
            "grant_type": "client_credentials",
            "client_id": "client",
            "client_secret": "hush",
            "scope": "https://scope.example/.default",
        }
    ]
    tokens.forget(box)
    issuer.lasts = 30  # less than a login may take
    assert [await tokens.token(box) for _ in range(2)] == ["a2", "a3"]
    issuer.lasts = 3600
    changed = replace(box, secrets={"client_secret": "another"})
    assert [await tokens.token(changed) for _ in range(2)] == ["a4", "a4"]


async def test_a_refresh_token_that_is_replaced_is_kept_unless_somebody_set_another(
    office: Office, issuer: Issuer
) -> None:
    tokens, old = Tokens(office.house), await _box(office, issuer, refresh_token="first")
    issuer.renews = True

    assert await tokens.token(old) == "a1"
    new = await boxes.by_id(office.house, old.id)
    assert new is not None
    assert new.secrets == {"client_secret": "hush", "refresh_token": "refresh 1"}
    assert [await tokens.token(each) for each in (old, new)] == ["a1", "a1"]
    tokens.forget(old)
    await tokens.token(old)  # by a process that has not seen it
    assert await boxes.by_id(office.house, old.id) == new


async def test_a_refusal_is_told_by_its_code_and_an_outage_is_tried_again(
    office: Office, issuer: Issuer
) -> None:
    tokens, box = Tokens(office.house), await _box(office, issuer)

    issuer.answer = JSONResponse({"error": "invalid_client"}, 401)
    with pytest.raises(Permanent, match="invalid_client"):
        await tokens.token(box)
    for answer in (RedirectResponse(issuer.url, 307), JSONResponse(["?"]), Response("x" * 70_000)):
        issuer.answer = answer
        with pytest.raises(Permanent):
            await tokens.token(box)
    assert len(issuer.asked) == 4
    for busy in (Response("", 503), Response("", 429)):
        issuer.answer = busy
        with pytest.raises(TryLater):
            await tokens.token(box)
    gone = replace(box, oauth=OAuth("http://127.0.0.1:9/token", "client"))
    with pytest.raises(TryLater):
        await tokens.token(gone)
