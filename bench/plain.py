"""Agents for benchmarks: they read nothing and show nothing, so that only the walk is measured."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from core.agent import Agent, Results, Step, Summary, step_name
from core.forms import FormValues
from core.words import Language, same


def plain_agent(name: str, asks: type, read: Callable[[str], Any], *steps: Step) -> Agent:
    """An agent that is asked for by its name. `read` makes its ask of the text.

    Handed to a child process only where `read` and the steps are a module's own: it is pickled.
    """
    return Agent(
        name=name,
        asks=asks,
        steps=steps,
        title=same(name.title()),
        example=same(f"{name} 1"),
        words=(name,),
        labels={step_name(step): same(step_name(step)) for step in steps},
        begin=partial(_begin, read),
        answer=_answer,
        summarise=_summarise,
    )


def _begin(read: Callable[[str], Any], text: str, form: FormValues | None, today: date) -> Any:
    return read(text)


def _answer(ask: Any, key: str, value: str) -> Any:
    return ask


def _summarise(results: Results, language: Language) -> Summary:
    return Summary()
