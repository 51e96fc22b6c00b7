"""The way out of a house in which nothing else happens."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from bot.line.outbound import LineOutbound
from core.arrivals import Arrival, Delivered, store
from core.messages import Message
from core.organisations import Organisation
from core.ports import Place, Utterance, Weight
from miyabi.build import Built
from tests.fakes.line.server import FakeLine
from tests.fakes.line.state import id_of

HANA = id_of("花子")


@dataclass
class Desk:
    """Says things by hand, as the notifier and the handlers of events do."""

    line: FakeLine
    built: Built
    organisation: Organisation

    @property
    def outbound(self) -> LineOutbound:
        found = self.built.house.outbounds["line"]
        assert isinstance(found, LineOutbound)
        return found

    def place(self, chat: str = HANA) -> Place:
        account = chat if chat.startswith("U") else HANA
        workspace = self.line.home.destination
        direct = chat == account
        return Place(self.organisation.id, workspace, chat, chat, account, direct)

    async def say(
        self,
        *words: str,
        weight: Weight = "must",
        call: UUID | None = None,
        again: bool = False,
        chat: str = HANA,
    ) -> list[str | None]:
        """Say some texts; gives the ids of what was said."""
        said = [Utterance(str(uuid4()), Message(each), weight) for each in words]
        sent = await self.outbound.say(self.place(chat), call or uuid4(), said, again=again)
        return [each.id if each is not None else None for each in sent]

    async def heard(self, chat: str = HANA, *, age: float = 0, state: str = "done") -> Arrival:
        """Something was said there, so long ago, and dealt with."""
        event = self.line.driver("http://nowhere.example").make.text("やあ", "花子", chat)
        found = Delivered(
            self.organisation.id,
            "line",
            self.line.home.destination,
            event["webhookEventId"],
            chat,
            HANA,
            "message",
            event,
            datetime.now(UTC),
            reply_token=event["replyToken"],
            reply_for=timedelta(seconds=50 - age),
        )
        await store(self.built.house.engine, [found])
        await self.execute(f"update arrivals set state = '{state}' where id = '{found.id}'")
        self.line.pass_time(age)
        return Arrival(
            found.id, self.organisation.id, "line", found.workspace, found.key, chat, HANA,
            "message", event, found.said_at,
        )  # fmt: skip

    async def execute(self, sql: str) -> None:
        async with self.built.house.engine.begin() as connection:
            await connection.execute(text(sql))

    async def rows(self, sql: str) -> list[Any]:
        async with self.built.house.engine.connect() as connection:
            return list(await connection.execute(text(sql)))

    def said(self, chat: str = "花子") -> list[tuple[str, str]]:
        return [(each.how, each.text) for each in self.line.said(chat)]
