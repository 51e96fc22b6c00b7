"""What an agent is: one line of steps, matched by type, checked when the house starts."""

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, get_type_hints

from core.catalogue import Catalogue
from core.errors import MiyabiError
from core.forms import FormSpec, FormValues
from core.messages import Field, Line, Picture
from core.words import Language, Words

Results = Mapping[type, Any]
"""What the steps so far have given, by type; the ask itself is one of them."""

Work = Callable[..., Awaitable[Any]]


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
class Deliver:
    """Post the issued document in the task's threads, and nowhere else."""

    shows: type
    name: str = "deliver"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The hash of what was handed to the threads."""

    sha256: str


Step = Work | Approval | Number | Deliver


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What a step may want to know of its task. `asked_on` is the date where the requester is."""

    reference: int
    revision: int
    language: Language
    requester: str
    asked_on: date


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
    `takes_free_text`: what names no command at all is for this agent.
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
    takes_free_text: bool = False
    form: FormSpec | None = None
    edit: Callable[[Results], FormValues] | None = None
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
    if isinstance(step, Approval | Number | Deliver):
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
    result = get_type_hints(step).get("return")
    if not isinstance(result, type):
        raise WiringError(f"step {step.__name__}: its result has no plain type")
    return result


def _needs(step: Step) -> Mapping[str, type]:
    if isinstance(step, Approval | Deliver):
        return {"document": step.shows}
    if isinstance(step, Number):
        return {}
    hints = get_type_hints(step)
    return {name: hints[name] for name in inspect.signature(step).parameters}


def check(agent: Agent, resources: Collection[type]) -> None:
    """Refuse an agent one of whose steps needs what nothing gives. Raises WiringError."""
    given: set[type] = {agent.asks, TaskInfo, *resources}
    for step in agent.steps:
        for name, wanted in agent.inputs[step_name(step)].items():
            if wanted not in given:
                raise WiringError(
                    f"{agent.name}.{step_name(step)}: nothing earlier gives "
                    f"{name}: {wanted.__name__}"
                )
        given.add(gives(step))
