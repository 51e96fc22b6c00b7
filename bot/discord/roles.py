"""Roles in a guild that stand for roles here: whoever is given one there has it here.

Only the roles that the settings map are touched: what somebody has been given here otherwise
stays. It is done when the person next does something, as Discord tells their roles then.
"""

from dataclasses import replace

import structlog

from audit.event import Actor
from bot.discord.act import Act
from core import people
from core.house import House
from core.people import ROLES, Person, spell
from core.settings import DiscordSettings
from core.unit import unit

log = structlog.get_logger()


class Roles:
    """The map of the settings."""

    def __init__(self, house: House, settings: DiscordSettings) -> None:
        self._house = house
        self._map = {theirs: ours for theirs, ours in settings.role_map.items() if ours in ROLES}

    def due(self, person: Person, held: frozenset[str]) -> frozenset[str]:
        """What somebody's roles should be, with these roles in the guild."""
        mapped = frozenset(self._map.values())
        given = frozenset(self._map[each] for each in held if each in self._map)
        return (person.roles - mapped) | given

    async def follow(self, act: Act) -> None:
        """Give and take what the guild's roles say. Whoever would be left with none keeps theirs:
        a person without a role can do nothing, which is for an admin to decide."""
        if not self._map or act.roles is None:
            return
        met = self._house.met.get(act.sender)
        if met is not None and self.due(met, act.roles) == met.roles:
            return
        async with unit(self._house) as work:
            person = await people.who(work.connection, act.sender)
            if person is None:
                return
            due = self.due(person, act.roles)
            if due == person.roles or not due:
                return
            actor = Actor(person.id, spell(act.sender), channel="discord")
            await people.change(
                work, replace(person, roles=due), email=None, active=True, actor=actor
            )
        self._house.met.pop(act.sender, None)
        log.info("discord.roles_followed", person=str(person.id), roles=sorted(due))
