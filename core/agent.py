"""What an agent is: one line of steps, matched by type, checked when the house starts."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, get_type_hints

from core.catalogue import Catalogue
from core.errors import MiyabiError
from core.forms import FormSpec, FormValues
from core.messages import Field, Line, Picture
from core.words import Language, Words

Results = Mapping[type, Any]
"""What the steps so far have given, by type; the ask itself is one of them."""

Work = Callable[..., Any]
"""A step of the agent's own. An `async def` runs in the worker's loop; a plain `def` in a child
process (core/child.py), is handed plain data only and may block and compute as it likes."""


@dataclass(frozen=True, slots=True)
class Document:
    """A laid-out document in the store: its hash, its name, and its first page as a picture."""

    sha256: str
    name: str
    media_type: str
    pages: int
    preview_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Wait until somebody with the right approves exactly what `shows` is."""

    route: str
    shows: type[Document] = Document
    name: str = "approve"


@dataclass(frozen=True, slots=True)
class Approved:
    """The decision that let the task go on."""

    by: str
    at: str
    shown_sha256: str


@dataclass(frozen=True, slots=True)
class Number:
    """Take the next number of the agent's series; the document is issued by this."""

    name: str = "number"


@dataclass(frozen=True, slots=True)
class Numbered:
    """The number taken, and the day of issue in the organisation's zone."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class Record:
    """Write into our own database, in the unit that stores the step's result.

    `work` is an async step whose first two parameters are that unit and the task's row, locked; the
    rest is matched by type as ever. What it writes is there together with its result, or neither
    is. What it raises undoes all of it.
    """

    work: Work

    @property
    def name(self) -> str:
        return self.work.__name__


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that was sent with a request and is kept in `Files`: its hash, the name it came with
    (which somebody typed), what it is by its content, and its bytes."""

    sha256: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Deal:
    """The transaction that a document is about: what it is searched by for as long as it is kept.

    `amount` in whole yen, tax included; None where it is about no money. `words` are more to find
    it by (what was sold, a note).
    """

    counterparty: str = ""
    amount: int | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deliver:
    """Post the issued document in the task's threads, and nowhere else."""

    shows: type
    name: str = "deliver"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The hash of what was handed to the threads."""

    sha256: str


class EffectKey(str):
    """The key under which a provider is handed an act, the same for every attempt at it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """An act on the outside, done once: the intent is stored before it, the outcome after.

    `work` is an async step that also takes an `EffectKey`, which has to travel with the act. A
    MiyabiError that it raises says that the act was not done (`TryLater`: and may be tried again),
    `OutcomeUnknown` and anything unforeseen that it may have been. Then `find` is asked, with the
    same inputs: it gives the result where the provider knows the key, None only where the act
    surely neither happened nor still will, and raises `OutcomeUnknown` where it can't tell. Where
    nothing can be found out, a person is asked; `assumed` gives the result where they say that it
    was sent, and may be left out where the result's type needs no arguments.

    `skip` gives the result where there is nothing to do, before any intent; None: there is.

    `kind` is a word for the records ("append", "mail"); `target` names for people what is acted
    upon. `deadline`: how long the act may take. `settles`: how long an act whose answer was lost
    may still be under way at the provider; it is asked after that.
    """

    work: Work
    kind: str
    find: Work | None = None
    target: str | Callable[..., str] = ""
    assumed: Callable[..., Any] | None = None
    skip: Callable[..., Any] | None = None
    deadline: timedelta = timedelta(seconds=30)
    settles: timedelta = timedelta(seconds=3)

    @property
    def name(self) -> str:
        return self.work.__name__

    def arguments(
        self, function: Callable[..., Any], inputs: Mapping[str, Any], key: EffectKey | None
    ) -> dict[str, Any]:
        """What one of its functions takes, by type, out of what its work takes by name."""
        kinds = parameters(self.work).items()
        by_type = {kind: inputs[name] for name, kind in kinds if name in inputs}
        return {
            name: key if kind is EffectKey else by_type[kind]
            for name, kind in parameters(function).items()
        }


Step = Work | Approval | Number | Deliver | Effect | Record


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What a step may want to know of its task. `asked_on` is the date where the requester is;
    `grade` is the requester's in the company."""

    reference: int
    revision: int
    language: Language
    requester: str
    asked_on: date
    grade: str = ""


Terms = Mapping[str, int | Decimal | str | tuple[str, ...]]
"""What is decided on, by the names that conditions of routes know: `amount` in whole yen, tax
included; `customer`; `discount` in percent; whatever else the agent documents. Where one can't be
told it is left out."""

TermKind = Literal["number", "text", "list"]
"""What a term is compared with: numbers, a text, or the texts that it is a list of."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What an agent has understood and worked out so far, for the thread and the card."""

    fields: tuple[Field, ...] = ()
    lines: tuple[Line, ...] = ()
    totals: tuple[Field, ...] = ()
    note: str = ""
    picture: Picture | None = None
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """One kind of work. `steps` is the procedure; the rest is how people ask for it and see it.

    `words` are what a request for it is called in chat, in all languages, lower case.
    `begin` makes the ask from a text or a form; `answer` adds what the person said to a question.
    `version` goes up with a change that older workers can't do the work of: they leave its tasks.
    `step_deadline` is how long one step may take, an `Effect` apart, which names its own;
    `step_cpu` and `step_memory` (in MiB) are what a plain `def` may use in its child process;
    `task_deadline` is how long all work may take from one act of a person to the next.
    `takes_free_text`: what names no command at all is for this agent.
    `keeps_draft`: what it shows for approval is what it issues, so nobody is handed it before.
    `edit` gives the values to fill the form with when a task is to be changed.
    """

    name: str
    asks: type
    steps: tuple[Step, ...]
    title: Words
    example: Words
    words: tuple[str, ...]
    labels: Mapping[str, Words]
    begin: Callable[[str, FormValues | None, date], Any]
    answer: Callable[[Any, str, str], Any]
    summarise: Callable[[Results, Language], Summary]
    number: str = ""
    version: int = 1
    step_deadline: timedelta = timedelta(seconds=60)
    step_cpu: timedelta = timedelta(seconds=60)
    step_memory: int = 1024
    task_deadline: timedelta = timedelta(minutes=10)
    takes_free_text: bool = False
    keeps_draft: bool = False
    form: FormSpec | None = None
    edit: Callable[[Results], FormValues] | None = None
    attach: Callable[[Any, tuple[Attached, ...]], Any] | None = None
    """The ask with the files that were sent for it: all of them each time. None: it takes none."""
    takes_any: bool = False
    """Files of every kind may come with it: of what it can't read, somebody may make use."""
    headed: Callable[[str, str, Catalogue, date], str] | None = None
    """What a heading above a text (a mail's subject) adds to it. None: both are one text."""
    reduce: Callable[[Results, int, int, str, str], Any] | None = None
    """The ask in which a line (from 1) is let pass with no more than so many yen; then the reason,
    and who says so. Raises Refused where there is no such line or that is not less."""
    deal: Callable[[Results], Deal] | None = None
    """What its document is about, as far as that is known when its number is taken."""
    terms: Callable[[Results], Terms] | None = None
    """What the conditions of approval routes may ask of it."""
    own_terms: Mapping[str, TermKind] = field(default_factory=dict)
    """Which of them there are beside those that every agent may have
    (core/approvals/conditions.py); a condition that asks for others is refused when it is read."""
    route: str = ""
    """Its sample routes, as the text of a route file; an organisation may put its own in place."""
    facts: Callable[[Results, Catalogue], Mapping[str, object]] | None = None
    """The task as data, for `--json`."""
    inputs: Mapping[str, Mapping[str, type]] = field(init=False)

    def __post_init__(self) -> None:
        names = [step_name(step) for step in self.steps]
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise WiringError(f"{self.name}: two steps are called {', '.join(sorted(doubled))}")
        unlabelled = [name for name in names if name not in self.labels]
        if unlabelled:
            raise WiringError(f"{self.name}: no label for {', '.join(unlabelled)}")
        needs = {step_name(step): _needs(step) for step in self.steps}
        object.__setattr__(self, "inputs", needs)


class WiringError(MiyabiError):
    """The parts of the house do not fit together; it does not start."""


def step_name(step: Step) -> str:
    """The name a step is stored under."""
    if isinstance(step, Approval | Number | Deliver | Effect | Record):
        return step.name
    return step.__name__


def gives(step: Step) -> type:
    """The type of a step's result."""
    if isinstance(step, Approval):
        return Approved
    if isinstance(step, Number):
        return Numbered
    if isinstance(step, Deliver):
        return Delivered
    result = get_type_hints(step.work if isinstance(step, Effect | Record) else step).get("return")
    if not isinstance(result, type):
        raise WiringError(f"step {step_name(step)}: its result has no plain type")
    return result


def _needs(step: Step) -> Mapping[str, type]:
    if isinstance(step, Approval | Deliver):
        return {"document": step.shows}
    if isinstance(step, Number):
        return {}
    if isinstance(step, Effect):
        return {name: kind for name, kind in parameters(step.work).items() if kind is not EffectKey}
    if isinstance(step, Record):
        return dict(list(parameters(step.work).items())[2:])  # without the unit and the task
    return parameters(step)


def parameters(function: Callable[..., object]) -> Mapping[str, type]:
    """What a function takes, by the names of its parameters; all have to say their type."""
    hints = get_type_hints(function)
    return {name: hints[name] for name in inspect.signature(function).parameters}
