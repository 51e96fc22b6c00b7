"""What a chat platform can and can't: declared by each, made into docs/channels.md."""

from dataclasses import dataclass
from typing import Literal

MB = 1 << 20

Longer = Literal["split", "shortened", "whole"]
"""What becomes of a text that is too long for one message: `split` over several, `shortened` with
the rest left to the document, or there is no such text."""
Lost = Literal["key", "looked for", "written", "unknown"]
"""A send whose answer got lost: tried again under the same `key` that the platform knows, `looked
for` there before it is sent again, `written` in our own database alone, or left `unknown`."""
Tells = Literal["blocked", "bounced", "read", "delivered"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform takes.

    `threads`: a task has a conversation of its own. `edits`: what stands can be changed, so that
    steps are seen as they happen and buttons go where somebody decided elsewhere. `buttons`: of one
    message (0: labels are typed). `forms`: fields are filled in there. `private`: an answer only
    whoever asked can see, in a conversation of many. `text`: characters of one message (None: as
    many as there are). `sends_files`: bytes of a file we send (None: a link to it). `takes_files`:
    bytes of a file of a person's (None: no files). `answers_within`: seconds that the platform
    waits for us (None: as long as it takes). `a_minute`: messages to one conversation (None: no
    limit that anybody tells). `costs`: calls are counted and paid. `tells`: what we hear of a
    message later. `source`: where that is said.
    """

    threads: bool
    edits: bool
    buttons: int
    forms: bool
    private: bool
    text: int | None
    longer: Longer
    sends_files: int | None
    takes_files: int | None
    answers_within: float | None
    a_minute: int | None
    lost: Lost
    costs: bool = False
    tells: frozenset[Tells] = frozenset()
    source: str = ""
