"""Stands for an agent that this process does not have: its task is a newer version's, say.

Such a task is shown by its name, and left alone: workers that have the agent go on with it.
"""

from dataclasses import replace
from datetime import date
from typing import Any, NoReturn

from core import phrases
from core.agent import Agent, Summary
from core.errors import Refused
from core.forms import FormValues
from core.words import Language, Words, same


def stranger(name: str, title: Words | None = None) -> Agent:
    """An agent of this name without steps. Whoever asks or answers it is told to come later."""
    return Agent(
        name=name,
        asks=dict,  # whatever it is that this agent is asked
        steps=(),
        title=title or same(name),
        example=same(name),
        words=(name,),
        labels={},
        begin=_begin,
        answer=_answer,
        summarise=_summarise,
    )


def forgotten(agent: Agent) -> Agent:
    """An agent in the place of another, for a task whose person was erased: of what was asked and
    worked out nothing is there any more (core/redaction.py)."""
    return replace(stranger(agent.name, agent.title), summarise=_erased)


def _begin(text: str, form: FormValues | None, today: date) -> NoReturn:
    raise Refused(phrases.NOT_OURS)


def _answer(ask: Any, key: str, value: str) -> NoReturn:
    raise Refused(phrases.NOT_OURS)


def _summarise(results: Any, language: Language) -> Summary:
    return Summary(note=phrases.NOT_OURS.to(language))


def _erased(results: Any, language: Language) -> Summary:
    return Summary(note=phrases.ERASED.to(language))
