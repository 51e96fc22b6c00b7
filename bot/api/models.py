"""What programs send and get, as the OpenAPI description has it."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.effects import State as EffectState
from core.ports import Lane
from core.tasks import State

Thread = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$")]
Text = Annotated[str, StringConstraints(max_length=100_000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=3_000)]


class _Sent(BaseModel):
    """A field nobody knows is a mistake of the program's, and it is told so."""

    model_config = ConfigDict(extra="forbid")


class FormLine(_Sent):
    """One line of a form: the item's code, and the quantity as a person would type it."""

    item: Text
    quantity: Text


FormRow = dict[str, Text | Annotated[int, Strict()] | None]
FormGiven = Text | Annotated[int, Strict()] | list[FormLine] | list[FormRow] | None


class NewRequest(_Sent):
    """What is wanted: in words as in the chat, or as an agent's form."""

    text: Text = Field("", examples=["見積 株式会社ABC商事 モニター5台 納期12/25"])
    agent: Text | None = Field(None, description="Whose work it is; by default the text tells.")
    form: dict[str, FormGiven] | None = Field(
        None,
        description="The agent's form: customer and item codes, dates as 2026-12-25, amounts in "
        "yen, rows as a list of objects.",
    )
    lane: Lane = Field("interactive", description="bulk: many at once, nobody waits for each.")
    thread: Thread | None = Field(None, description="A conversation to go on with; else a new one.")

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        said = bool(self.text.strip())
        if said == (self.form is not None) or (self.form is not None and self.agent is None):
            raise PydanticCustomError("text_or_form", "either text, or form with agent")
        return self


class Because(_Sent):
    """Why it is rejected or sent back; whoever asked for it reads this."""

    reason: Reason


class SentBack(Because):
    """Why it is sent back, and to whom: the place of a step that it has passed, or who asked."""

    to: Annotated[int, Strict()] | None = Field(
        None, ge=1, description="The place of an earlier step of the route; null for who asked."
    )


class Saying(_Sent):
    """What is said of an approval; it stands on its card."""

    text: Reason


class Somebody(_Sent):
    """Whom it concerns, by their handle, and what is said with it."""

    person: Annotated[str, StringConstraints(pattern=r"^@?[^\s@]{1,80}$")]
    text: Text = ""


class Reply(_Sent):
    """The answer to a task's question: one of its choices by `value`, or words."""

    choice: Text | None = None
    text: Reason | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.choice is None) == (self.text is None):
            raise PydanticCustomError("choice_or_text", "either choice or text")
        return self


class Answered(BaseModel):
    """What the person would be told in the chat.

    `taken`: a task was taken in, `reference` is its number. `done`: what was asked is done.
    `told`: the text was a question to Miyabi itself (help, status ...), and this is its answer.
    """

    outcome: Literal["taken", "done", "told"]
    message: str
    reference: int | None
    task: str | None = Field(description="Where the task is, for GET.")


class Labelled(BaseModel):
    """A value with its label, in the reader's language."""

    label: str
    value: str


class SummaryLine(BaseModel):
    """A line of what was worked out, in the reader's language."""

    name: str
    detail: str
    amount: str


class ChoiceOffered(BaseModel):
    """One of the answers that a question offers."""

    value: str
    label: str


class Asked(BaseModel):
    """What the task asks whoever asked for it."""

    text: str
    choices: list[ChoiceOffered]


class Issued(BaseModel):
    """A document that was issued. Its file is there a moment after its number is."""

    number: str
    voided: bool
    name: str | None
    media_type: str | None
    pages: int | None
    sha256: str | None
    url: str | None


class Act(BaseModel):
    """An act on the outside. `unknown`: it may or may not have happened; a person is asked."""

    step: str
    kind: str
    target: str
    state: EffectState
    attempts: int
    settled_by: str | None
    key: str = Field(description="The idempotency key that the provider was handed.")


class RouteStep(BaseModel):
    """A step of an approval's route. `who` decided in it, else decides in it."""

    step: str
    who: list[str]
    state: str


class Task(BaseModel):
    """A task as it stands. `facts` are data by the agent's own keys, the rest is for people."""

    reference: int
    agent: str
    title: str
    state: State
    waiting_for: Literal["approval", "answer", "outside", "release"] | None
    state_words: str
    revision: int
    lane: Lane
    requester: str
    text: str
    thread: str | None = Field(description="Its conversation, where a program began it.")
    created_at: datetime
    question: Asked | None
    failure: str | None
    retry_at: datetime | None
    facts: dict[str, Any]
    fields: list[Labelled]
    lines: list[SummaryLine]
    totals: list[Labelled]
    route: list[RouteStep]
    documents: list[Issued]
    effects: list[Act]
    links: dict[str, str] = Field(description="What may be done next, by name, and itself.")


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    detail: str


class ProblemDetails(BaseModel):
    """Problem details (RFC 9457). `code` is for programs, `title` and `detail` for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] = []
