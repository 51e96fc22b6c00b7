"""Readers and rules made up by hand."""

from dataclasses import replace
from uuid import UUID

from core.preferences import Preferences
from notifier.hub.decision import Reader, Way
from notifier.hub.rule_file import rules_of

SLACK, EMAIL = Way("slack", "T1", "U1"), Way("email", "", "sato@example.co.jp")
LINE, DISCORD = Way("line", "L1", "Uabc"), Way("discord", "G1", "77")

SATO = Reader(
    UUID(int=1),
    "佐藤 花子",
    "ja",
    "Asia/Tokyo",
    zone_chosen=False,
    ways=(SLACK, LINE, EMAIL, DISCORD),
    preferences=Preferences(),
)
RULES = rules_of()


def reader(*ways: Way, **chosen: object) -> Reader:
    """Somebody with these ways (all of them where none is named), who chose that."""
    return replace(
        SATO,
        ways=ways or SATO.ways,
        preferences=Preferences(**chosen),  # type: ignore[arg-type]
    )
