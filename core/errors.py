"""The errors of the house, named for what whoever catches them can do.

MiyabiError              has `words`, said to the person in their language
├── NeedsInput           ask the person this question, then run the step again
├── Refused              the input is wrong or not allowed; nothing was done
│   ├── NotAllowed       ... because of who asks
│   ├── Unknown          ... because there is no such thing, as far as whoever asks may know
│   └── Full             ... because as much as is allowed is under way: wait, then ask again
├── Permanent            trying again changes nothing until someone mends something
│   └── Unreachable      ... and this person is to be told elsewhere meanwhile
├── TryLater             the other side is busy or down; try again after a while
│   ├── SlowDown         ... and asks all of us to wait for so long
│   └── NotNow           ... or was not even asked, as it is not its turn
├── OutcomeUnknown       an act on the outside may or may not have happened; find out or ask
├── Cancelling           a person has cancelled the task; stop, and say so
└── LostLease            another worker has the task; write nothing more
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal

from core.words import Words, same


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer offered as a button or in a list. `value` is what the step gets back."""

    value: str
    label: Words


@dataclass(frozen=True, slots=True)
class Question:
    """What a step asks the person. `key` names what the answer is for within the ask.

    `kind`: a day is asked for, which a platform may offer a calendar for; it is answered in words.
    """

    key: str
    prompt: Words
    choices: tuple[Choice, ...] = ()
    kind: Literal["text", "date"] = "text"


def topic(key: str) -> str:
    """What a question of that key is about, in a word: what a person wrote follows the colon."""
    return key.partition(":")[0]


class MiyabiError(Exception):
    """Something a person has to be told."""

    def __init__(self, words: Words | str) -> None:
        self.words = words if isinstance(words, Words) else same(words)
        super().__init__(self.words.en)

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, from a child process: what `__init__` takes differs from kind to kind."""
        return _as_it_was, (type(self), self.args, vars(self))


def _as_it_was(kind: type[MiyabiError], args: Any, values: dict[str, Any]) -> MiyabiError:
    error = kind.__new__(kind, *args)
    vars(error).update(values)
    return error


class NeedsInput(MiyabiError):
    """A step lacks something that a person can say."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.prompt)
        self.question = question


Refusal = Literal["wrong", "not_allowed", "unknown", "full"]
"""Why something was refused, where a program has to tell the reasons apart."""


class Refused(MiyabiError):
    """What was asked can't be done as asked; nothing was done."""

    refusal: ClassVar[Refusal] = "wrong"


class NotAllowed(Refused):
    """Whoever asks may not."""

    refusal: ClassVar[Refusal] = "not_allowed"


class Unknown(Refused):
    """There is no such thing, or it is another organisation's: that looks the same."""

    refusal: ClassVar[Refusal] = "unknown"


class Full(Refused):
    """As much is under way as may be at a time."""

    refusal: ClassVar[Refusal] = "full"


class Permanent(MiyabiError):
    """Stop: someone has to mend something first."""


class Unreachable(Permanent):
    """A person can't be told this way, but perhaps by another of their accounts; the words say why,
    as they are told there."""


class TryLater(MiyabiError):
    """The other side is busy or down. `after` is the least time to wait, if it said one."""

    def __init__(self, words: Words | str, after: timedelta | None = None) -> None:
        super().__init__(words)
        self.after = after


class SlowDown(TryLater):
    """The other side asks to be left alone for `after`, by all that speaks to it as the same bot
    does in the same way."""


class NotNow(TryLater):
    """Nothing was tried: it is not this one's turn yet at the provider's pace, or the provider is
    away and is left alone for a while."""


class OutcomeUnknown(MiyabiError):
    """An act on the outside may or may not have happened, or whether it did can't be told."""


class Cancelling(MiyabiError):
    """A person has cancelled the task that this worker has; it stops, and says when it has."""

    def __init__(self) -> None:
        super().__init__("the task is being cancelled")


class LostLease(MiyabiError):
    """The task belongs to another worker now."""

    def __init__(self) -> None:
        super().__init__("the task belongs to another worker now")


class WorkersDie(MiyabiError):
    """Too many workers in a row died at this act; it is not done once more."""

    def __init__(self) -> None:
        super().__init__("too many workers died at this act")
