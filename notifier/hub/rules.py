"""Who hears of what, and by which channels, as a company's file says it; the defaults behind it.

Of each setting the first rule counts that fits and says something about it. So a company's file has
only what it wants otherwise: its rules stand before those that came with Miyabi.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, Strict, with_config

from core.notices import Importance, Ladder, Recipient, RecipientKind
from core.people import Role
from core.preferences import Digest, DigestRhythm, fits
from notifier.hub.decision import Matter

HERE, ANY = "here", "any"
"""Words among channels: where the matter's task lives, and whatever else the reader has."""

Text = Annotated[str, Strict(), Field(min_length=1, max_length=100)]
Flag = Annotated[bool, Strict()]
Minutes = Annotated[int, Strict(), Field(ge=1, le=60 * 24 * 30)]
Names = Annotated[tuple[Text, ...], Field(max_length=50)]
Some = Annotated[tuple[Text, ...], Field(min_length=1, max_length=50)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: Sequence[Weekday] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BY_NAME: dict[str, RecipientKind] = {
    "person": "person", "role": "role", "on_call": "on_call", "place": "place",
}  # fmt: skip
ALONE: dict[str, RecipientKind] = {
    "requester": "requester", "waits_for": "waits_for", "all": "all",
}  # fmt: skip

_STRICT = ConfigDict(extra="forbid")


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class LadderOf:
    """Who is told next where nobody acknowledges; recipients as in `to`."""

    minutes: Minutes
    rungs: Annotated[tuple[Some, ...], Field(min_length=1, max_length=10)]
    expires_minutes: Minutes = 24 * 60


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class DigestOf:
    """What goes together, where the reader has not said it themselves."""

    rhythm: DigestRhythm
    at: time = time(9)
    weekday: Weekday = "mon"


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """For which matters and readers it is, and what it says of them.

    `channels`: the order of fall-back, `use`: the first of them that reaches the reader, or all of
    them at once; `then`, `then_use`: the same of what comes after, where none of these reaches
    them. `elsewhere`: not where the task lives, for there it is seen anyway. `to`: who hears it,
    where the notice itself names nobody.
    """

    name: Text
    topics: Names = ()
    importance: tuple[Importance, ...] = ()
    personal: Flag | None = None
    task: Flag | None = None
    role: Role | None = None

    channels: Names = ()
    use: Literal["first", "all"] = "first"
    then: Names = ()
    then_use: Literal["first", "all"] = "first"
    elsewhere: Flag = False
    to: Names = ()
    group_minutes: Minutes | None = None
    digest: DigestOf | None = None
    ladder: LadderOf | None = None

    def fits(self, matter: Matter, roles: frozenset[str] | None) -> bool:
        """Whether it is for this; without a reader's roles, what is for one role is not."""
        return (
            (not self.topics or any(fits(each, matter.topic) for each in self.topics))
            and (not self.importance or matter.importance in self.importance)
            and (self.personal is None or self.personal is matter.personal)
            and (self.task is None or self.task is (matter.task_id is not None))
            and (self.role is None or (roles is not None and self.role in roles))
        )


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """All of a file."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=200)] = ()


Setting = Literal["channels", "to", "group_minutes", "digest", "ladder"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in the order in which they count; `version` of the company's, 0 where it has none."""

    rules: Sequence[Rule]
    version: int = 0

    def saying(
        self, setting: Setting, matter: Matter, roles: frozenset[str] | None = None
    ) -> Rule | None:
        """The rule that counts for one setting; None where none says anything."""
        return next(self._saying(setting, matter, roles), None)

    def _saying(
        self, setting: Setting, matter: Matter, roles: frozenset[str] | None
    ) -> Iterator[Rule]:
        for rule in self.rules:
            if getattr(rule, setting) not in {None, ()} and rule.fits(matter, roles):
                yield rule


def digest_of(said: DigestOf, topic: str) -> Digest:
    """The digest of a rule, for one topic, as a reader would choose it."""
    return Digest(topic, said.rhythm, said.at, WEEKDAYS.index(said.weekday))


def ladder_of(said: LadderOf) -> Ladder:
    """The ladder of a rule."""
    rungs = tuple(tuple(recipient(each) for each in rung) for rung in said.rungs)
    return Ladder(said.minutes, rungs, said.expires_minutes)


def recipient(text: str) -> Recipient:
    """`role:admin`, `person:HANDLE`, `on_call:ROTA`, `place:NAME`, `requester`, `waits_for`, `all`.
    Raises ValueError."""
    if text in ALONE:
        return Recipient(ALONE[text])
    kind, _, of = text.partition(":")
    if kind not in BY_NAME or not of:
        raise ValueError(text)
    return Recipient(BY_NAME[kind], of)
