"""The office with a hand on its hub: telling, fanning out, sending, each when it is asked for."""

from typing import Any
from uuid import UUID

from core.db import fetch_all
from core.notices import Notice, Recipient, publish
from core.people import Person
from core.settings import Settings
from core.unit import unit
from notifier.hub.fanning import fan_out_due
from notifier.hub.lanes import Lane
from notifier.hub.sending import Ways
from tests.core.house import Office


class Hub:
    """The office with a hand on its hub."""

    def __init__(self, office: Office) -> None:
        self.office, self.house = office, office.house
        self.organisation = office.organisation.id

    async def tell(self, topic: str, *to: Recipient, **more: Any) -> UUID:
        async with unit(self.house) as work:
            return await publish(work, self.organisation, Notice(topic, to, **more))

    async def fan_out(self) -> int:
        return await fan_out_due(self.house)

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.house.engine.connect() as connection:
            return await fetch_all(connection, sql, {"o": self.organisation, **values})

    async def told(self, notice_id: UUID) -> list[tuple[str | None, str, str]]:
        """Who is told by which channel, and the state of it."""
        rows = await self.rows(
            "select p.handle, d.channel, d.state from dispatches d left join people p"
            " on p.id = d.person_id where d.organisation_id = :o and d.notice_id = :id"
            " order by p.handle, d.channel, d.state",
            id=notice_id,
        )
        return [tuple(row) for row in rows]

    async def handles(self, notice_id: UUID) -> list[str | None]:
        return [handle for handle, _, _ in await self.told(notice_id)]

    async def send(self, channel: str = "wall") -> None:
        """All that is due by a channel, to its end."""
        lane = Lane(Ways(self.house, Settings(secret_key=None)), channel, "w1")
        while await lane.take():
            await lane.rest()


def to(person: Person) -> Recipient:
    return Recipient("person", str(person.id))


FIVE_HUNDRED = """
    insert into people (id, organisation_id, handle, name, roles, language, time_zone)
    select gen_random_uuid(), :o, 'p' || n, '名前 ' || n, array['requester'], 'ja', 'Asia/Tokyo'
    from generate_series(1, 500) n
"""
THEIR_ACCOUNTS = """
    insert into accounts (id, organisation_id, person_id, platform, workspace, external_id)
    select gen_random_uuid(), :o, id, platform, 'w1', handle || platform
    from people, unnest(array['wall', 'slack', 'email']) platform
    where organisation_id = :o and handle like 'p%'
"""
THEIR_CHOICES = """
    insert into preferences (organisation_id, person_id, body)
    select :o, id, jsonb_build_object(
        'mutes', jsonb_build_array(jsonb_build_object('pattern', 'log.*')),
        'channels', jsonb_build_array(jsonb_build_object('pattern', 'task.*', 'channels',
            jsonb_build_array('email', 'wall'))))
    from people where organisation_id = :o and handle like 'p%'
"""
