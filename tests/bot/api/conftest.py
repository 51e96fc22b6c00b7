"""A program that talks to the HTTP API: real HTTP, a real database, and the office behind it.

Every answer that any test here gets is held against the API's own OpenAPI description.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import jsonschema
import pytest
from aiohttp import ClientSession

from bot.api import platform, tokens
from core import people
from core.company import Company
from core.documents import Files
from core.house import House
from core.inbound import Sender
from core.organisations import add as add_organisation
from core.people import Person
from core.platform import Opening
from core.settings import Settings
from core.stored import StoredOutbound
from core.unit import unit
from miyabi.plugins import all_platforms
from tests.core.house import Office, open_office
from tests.running import at_port
from web.app import create_app

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass(slots=True)
class Program:
    """Whoever has a token. Each POST has a key of its own unless one is given."""

    http: ClientSession
    description: dict[str, Any]
    token: str | None
    keys: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, text: str = "letter hello", *, key: str | None = None, **more: Any) -> Said:
        """Ask for work; more fields of the request by name."""
        return await self.post("/requests", {"text": text, **more}, key=key)

    async def post(self, path: str, content: Any = None, *, key: str | None = None) -> Said:
        self.keys += 1
        headers = {"Idempotency-Key": key or f"{id(self)}-{self.keys}"}
        return await self.call("POST", path, json=content, headers=headers)

    async def get(self, path: str) -> Said:
        return await self.call("GET", path)

    async def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Said:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.http.request(
            method, f"/api/v1{path}", headers={**own, **self.headers, **(headers or {})}, **more
        ) as answer:
            said = Said(answer.status, answer.headers, await answer.read())
        self._fits(method, path, said)
        return said

    def _fits(self, method: str, path: str, said: Said) -> None:
        """The answer is one of those that the description promises for this path."""
        operation = self._operation(method, path)
        if operation is None:
            assert said.status in {404, 405}
            return
        promised = operation["responses"][str(said.status)]["content"]
        kind = said.headers["Content-Type"].partition(";")[0]
        if "application/pdf" in promised:
            return
        assert kind in promised, f"{kind} is not among {list(promised)}"
        schema = {**promised[kind]["schema"], "components": self.description["components"]}
        jsonschema.validate(said.data, schema, jsonschema.Draft202012Validator)

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        steps = f"/v1{path}".split("?")[0].split("/")
        for template, operations in self.description["paths"].items():
            parts = template.split("/")
            pairs = zip(parts, steps, strict=False)
            if len(parts) == len(steps) and all(p[:1] == "{" or p == s for p, s in pairs):
                found: dict[str, Any] | None = operations.get(method.lower())
                return found
        return None


@dataclass(slots=True)
class Site:
    """The office with its API served."""

    office: Office
    house: House
    http: ClientSession
    description: dict[str, Any]

    def stranger(self, token: str | None) -> Program:
        return Program(self.http, self.description, token)

    async def program(self, person: Person, label: str = "") -> Program:
        """A program with a token of this person's."""
        async with unit(self.house) as work:
            token = await tokens.make(work, person, label)
        return self.stranger(token)

    async def competitor(self) -> Program:
        """A program of somebody in another organisation of the same installation."""
        async with unit(self.house) as work:
            other = await add_organisation(work, "rival", Company("Rival"))
            roles = frozenset({"requester", "approver", "admin"})
            person = await people.add(work, other.id, "asker", "Asker", roles, language="en")
            await people.link(work, person, Sender("wall", "w2", "asker"))
        return await self.program(person)


def opening_of(house: House, **settings: Any) -> Opening:
    async def read_file(organisation_id: Any, sha256: str) -> bytes:
        return await Files(house, organisation_id).get(sha256)

    return Opening(Settings(**settings), house, read_file)


@asynccontextmanager
async def served(opening: Opening) -> AsyncIterator[ClientSession]:
    """The whole web application behind uvicorn, as `miyabi web` has it."""
    app = create_app(opening, all_platforms().values())
    async with at_port(app) as url, ClientSession(url) as client:
        yield client


async def described(http: ClientSession) -> dict[str, Any]:
    """The OpenAPI description as a program gets it."""
    async with http.get("/api/openapi.json") as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
    return found


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[Site]:
    """The office of tests/core/house.py, reached by its API too."""
    async with open_office(database_url) as office:
        stored = StoredOutbound(opening_of(office.house))
        outbounds = {"wall": office.wall, platform.name: stored}
        house = office.house = replace(office.house, outbounds=outbounds)
        async with served(opening_of(house)) as http:
            yield Site(office, house, http, await described(http))


@pytest.fixture
async def asker(site: Site) -> Program:
    """A program of who may ask."""
    return await site.program(site.office.asker)


@pytest.fixture
async def boss(site: Site) -> Program:
    """A program of who may ask and approve."""
    return await site.program(site.office.boss)
