"""Do an agent's steps fit together? Asked once, when the house starts."""

import inspect
import sys
from collections.abc import Callable, Collection
from types import NoneType
from typing import get_args, get_type_hints

from core import child
from core.agent import (
    Agent,
    Approval,
    Effect,
    EffectKey,
    Record,
    TaskInfo,
    WiringError,
    gives,
    parameters,
    step_name,
)
from core.codec import is_data
from core.forms import REPEATED, FormSpec


def check(agent: Agent, resources: Collection[type]) -> None:
    """Refuse an agent whose steps do not fit together. Raises WiringError."""
    if agent.form is not None:
        _check_form(agent.name, agent.form)
    if isinstance(agent.steps[-1], Approval):
        raise WiringError(f"{agent.name}: the work ends with a step after its approval")
    given: set[type] = {agent.asks, TaskInfo, *resources}
    for step in agent.steps:
        if isinstance(step, Effect):
            _check_effect(f"{agent.name}.{step.name}", step)
        elif isinstance(step, Record):
            _check_record(f"{agent.name}.{step.name}", step)
        elif child.is_plain(step):
            _check_plain(f"{agent.name}.{step_name(step)}", step)
        for name, wanted in agent.inputs[step_name(step)].items():
            if wanted not in given:
                raise WiringError(
                    f"{agent.name}.{step_name(step)}: nothing earlier gives "
                    f"{name}: {wanted.__name__}"
                )
        given.add(gives(step))


def _check_form(where: str, form: FormSpec) -> None:
    """Refuse a form that no platform could show. Raises WiringError."""
    repeated = [field.name for field in form.fields if field.kind in REPEATED]
    if len(repeated) > 1:
        raise WiringError(f"{where}: a form has one field with rows, not {', '.join(repeated)}")
    for field in form.fields:
        for each in (field, *field.rows):
            if (each.kind == "choice") != bool(each.choices):
                raise WiringError(f"{where}: field {each.name}: choices, and only those, have some")
            if (each.kind == "rows") != bool(each.rows):
                raise WiringError(f"{where}: field {each.name}: rows, and only those, have fields")
        inner = [each.name for each in field.rows if each.kind in REPEATED]
        if inner:
            raise WiringError(f"{where}: field {field.name}: no rows in rows ({', '.join(inner)})")


def _check_plain(where: str, step: Callable[..., object]) -> None:
    """Refuse a plain `def` that can't be done in a child process. Raises WiringError."""
    if getattr(sys.modules.get(step.__module__), step.__qualname__, None) is not step:
        raise WiringError(f"{where}: a plain def has to stand in its module under its own name")
    for name, wanted in parameters(step).items():
        if not is_data(wanted):
            raise WiringError(
                f"{where}: a plain def runs in a child process and is given data only; "
                f"{name}: {wanted.__name__} is more than that. Make the step an async def"
            )


def _check_record(where: str, record: Record) -> None:
    """Refuse a record whose work could not write with its step. Raises WiringError."""
    from core.tasks import Task  # these know the house, and the house knows us
    from core.unit import Unit

    if not inspect.iscoroutinefunction(record.work):
        raise WiringError(f"{where}: {record.work.__name__} is no async function")
    if list(parameters(record.work).values())[:2] != [Unit, Task]:
        raise WiringError(f"{where}: {record.work.__name__} takes the Unit and the Task first")


def _check_effect(where: str, effect: Effect) -> None:
    """Refuse an effect whose parts do not fit together. Raises WiringError."""
    result = gives(effect)
    offered = set(parameters(effect.work).values())
    for name, early in (("target", effect.target), ("skip", effect.skip)):
        if callable(early) and EffectKey in parameters(early).values():
            raise WiringError(f"{where}: {name} is asked before there is an EffectKey")
    asked = [effect.work] if effect.find is None else [effect.work, effect.find]
    for function in asked:
        if not inspect.iscoroutinefunction(function):
            raise WiringError(f"{where}: {function.__name__} is no async function")
        if EffectKey not in parameters(function).values():
            raise WiringError(
                f"{where}: {function.__name__} takes no EffectKey to hand to the provider"
            )
    if effect.find is not None:
        found = get_type_hints(effect.find).get("return")
        if set(get_args(found)) != {result, NoneType}:
            raise WiringError(f"{where}: find has to return {result.__name__} | None")
    for name, beside in _beside(effect):
        for wanted in parameters(beside).values():
            if wanted not in offered:
                raise WiringError(
                    f"{where}: {name} needs {wanted.__name__}, which the work has not"
                )
    if effect.assumed is None and _needs_arguments(result):
        raise WiringError(
            f"{where}: say with `assumed` what the result is where a person says that it was sent; "
            f"{result.__name__} can't be made without arguments"
        )


def _beside(effect: Effect) -> list[tuple[str, Callable[..., object]]]:
    functions: dict[str, object] = {
        "find": effect.find,
        "target": effect.target,
        "assumed": effect.assumed,
        "skip": effect.skip,
    }
    return [(name, function) for name, function in functions.items() if callable(function)]


def _needs_arguments(kind: type) -> bool:
    given = inspect.signature(kind).parameters.values()
    return any(each.default is each.empty for each in given)
