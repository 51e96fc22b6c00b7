"""A delivery whose sender is known: what every handler of the heart is handed."""

from dataclasses import dataclass
from datetime import date

from audit.event import Actor
from core.errors import NotAllowed
from core.house import House
from core.inbound import Answer, Inbound, Outcome
from core.messages import Message
from core.people import Person, Role
from core.phrases import NO_ROLE
from core.words import Language, Words


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants what, in which language to answer, and the date where they are."""

    house: House
    inbound: Inbound
    person: Person
    language: Language
    today: date
    actor: Actor

    def need_role(self, role: Role) -> None:
        """Raises NotAllowed unless the person has the role."""
        if not self.person.may(role):
            raise NotAllowed(NO_ROLE.fill(role=role))

    def say(self, words: Words, outcome: Outcome = "done") -> Answer:
        """An answer in the person's language."""
        return Answer(outcome, Message(words.to(self.language), language=self.language))
