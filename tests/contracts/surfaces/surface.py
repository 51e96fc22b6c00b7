"""What the contract suite asks of a platform's driver: the same few acts, however they are done.

A platform joins the suite by `tests/contracts/surfaces/<name>.py` with one `surface(ground)`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from pydantic import SecretStr

from core import organisations, people
from core.company import Company
from core.house import House
from core.inbound import Sender
from core.organisations import Organisation
from core.settings import Settings
from core.unit import unit
from miyabi.build import Built
from miyabi.embedded import Services

ASKER, SECOND, BOSS = "花子", "一郎", "三郎"
"""花子 asks, 一郎 and 三郎 approve, 一郎 may ask, too."""
ROLES: Mapping[str, str] = {
    ASKER: "requester",
    SECOND: "requester approver",
    BOSS: "approver admin",
}
HANDLES: Mapping[str, str] = {ASKER: "hanako", SECOND: "ichiro", BOSS: "saburo"}
COMPANY = Company("株式会社みやび商会", "100-0001", "東京都千代田区千代田1-1", "03-0000-0000")
PUBLIC = "https://miyabi.example"
POOL = 20


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the house is built for one test."""

    services: Services
    home: Path
    patch: pytest.MonkeyPatch

    def settings(self, **platform: object) -> Settings:
        """An installation with this platform set up."""
        return Settings(
            home=self.home,
            database_url=SecretStr(self.services.database_url),
            redis_url=SecretStr(self.services.redis_url),
            secret_key=SecretStr("A" * 43 + "="),
            public_url=PUBLIC,
            **platform,  # type: ignore[arg-type]
        )


class Surface(Protocol):
    """People at one platform, and the house behind it. All acts are done as people do them."""

    built: Built
    organisation: Organisation

    async def ask(self, who: str, words: str) -> object:
        """Ask for something new; gives what was delivered."""
        ...

    async def again(self, delivered: object) -> None:
        """The platform delivers the very same once more."""
        ...

    async def reply(self, who: str, words: str) -> None:
        """Write on in the conversation of what was asked for last."""
        ...

    async def press(self, who: str, label: str, reason: str = "") -> object | None:
        """Press a button of the newest card that 三郎 has, as this person; gives what was
        delivered."""
        ...

    async def send_file(self, who: str, words: str, name: str, data: bytes) -> None:
        """Ask for something new with a file."""
        ...

    def seen_by(self, who: str) -> str:
        """Everything this person can read now."""
        ...

    def labels(self) -> Sequence[str]:
        """What can be pressed (or typed) on the newest card of 三郎's."""
        ...

    def told(self, about: str) -> tuple[str, Sequence[str]]:
        """What 三郎's own newest message that says this reads now, and what can be pressed on it;
        nothing of either where there is none."""
        ...

    async def press_told(self, who: str, about: str, label: str) -> str:
        """Press that button of that message as this person, who makes the press up where it is not
        theirs; gives what they are answered."""
        ...

    def documents(self, who: str) -> int:
        """How many documents this person was handed, as files or links."""
        ...

    def refuse_once(self) -> Callable[[], bool]:
        """The platform refuses the next message for its pace, with 429 or its like. Gives what
        tells whether it did."""
        ...

    def wrongs(self) -> Sequence[object]:
        """What was done against the platform's rules."""
        ...


class Opens(Protocol):
    """`surface` of each module."""

    def __call__(self, ground: Ground) -> AbstractAsyncContextManager[Surface]: ...


async def hire(house: House, senders: Mapping[str, Sender]) -> Organisation:
    """Add the organisation `default` with its three people, each with this account of theirs."""
    async with unit(house) as work:
        organisation = await organisations.add(work, "default", COMPANY)
        for who, roles in ROLES.items():
            person = await people.add(
                work, organisation.id, HANDLES[who], who, frozenset(roles.split())
            )
            await people.link(work, person, senders[who])
    return organisation
