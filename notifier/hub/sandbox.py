"""The Jinja2 that texts of notices are written in: values, conditions, loops, our filters.

A company may write its own, so that it can do no more than that: no calls, no assignments, nothing
that makes much out of little, and of values only what JSON has. It gives plain text. What a channel
has to escape is escaped by that channel's own renderer, which takes every text as untrusted.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.environment import Template
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifier.hub.spoken import FILTERS, said

LONGEST = 10_000
"""Of what one text may become; more is cut."""
_DEEPEST = 2
"""Of loops in loops."""

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name,
    nodes.Getattr, nodes.Getitem, nodes.Const, nodes.Filter, nodes.Test, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Concat, nodes.Add,
    nodes.Sub, nodes.Neg, nodes.Keyword, nodes.Tuple, nodes.List,
)  # fmt: skip
_OF_JINJA = ("default", "first", "join", "last", "length", "lower", "trim", "upper")
_TESTS = ("defined", "undefined", "none", "number", "string", "in", "eq", "ne", "lt", "gt")
_OF_LOOP = ("first", "last", "index", "length")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Of a mapping its keys, of a list its places, and nothing of anything else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping):
            if isinstance(argument, str) and argument in obj:
                return obj[argument]
        elif isinstance(obj, LoopContext):
            if argument in _OF_LOOP:
                return getattr(obj, argument)
        elif isinstance(obj, Sequence) and not isinstance(obj, str) and isinstance(argument, int):
            if -len(obj) <= argument < len(obj):
                return obj[argument]
        elif isinstance(obj, Undefined):
            return obj
        return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:
        return False


@pass_context
def _finalize(context: Context, value: Any) -> str:
    if isinstance(value, Undefined):
        return str(value)  # which raises
    return said(value, context["_language"])


@cache
def _sandbox() -> _Sandbox:
    # S701: it gives plain text; each channel's renderer escapes (see above)
    made = _Sandbox(undefined=StrictUndefined, finalize=_finalize, autoescape=False)
    made.globals = {}
    made.filters = {name: made.filters[name] for name in _OF_JINJA} | dict(FILTERS)
    made.tests = {name: made.tests[name] for name in _TESTS}
    return made


class Wrong(Exception):
    """A text that can't be read; says what of it, and in which of its lines."""

    def __init__(self, why: str, line: int = 1) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


class Text:
    """One text of a template, read and ready. Raises Wrong where it can't be one."""

    def __init__(self, source: str) -> None:
        tree = _read(source)
        self.names = frozenset(_names(tree))
        """The facts that it uses, and the filters after a bar."""
        self._made: Template = _sandbox().from_string(tree)

    def said(self, values: Mapping[str, Any]) -> str:
        """It with these values. Raises jinja2.UndefinedError where one is missing."""
        parts, length = [], 0
        for part in self._made.generate(**values):
            parts.append(part)
            length += len(part)
            if length > LONGEST:
                break
        return "".join(parts)[:LONGEST].strip()


class Expression:
    """One value of the facts, as `alerts`."""

    def __init__(self, source: str) -> None:
        self.names = frozenset(_names(_read("{{ " + source + " }}")))
        self._made = _sandbox().compile_expression(source, undefined_to_none=False)

    def of(self, values: Mapping[str, Any]) -> Any:
        """It, of these values. Raises jinja2.UndefinedError where it is missing."""
        found = self._made(**values)
        if isinstance(found, Undefined):
            str(found)  # raises, with its name
        return found


def _read(source: str) -> nodes.Template:
    try:
        tree = _sandbox().parse(source)
        for node in tree.find_all(nodes.Node):
            if not isinstance(node, _ALLOWED):
                raise Wrong(f"{type(node).__name__.lower()} can't be used here", node.lineno)
            if isinstance(node, nodes.Filter) and node.name not in _sandbox().filters:
                raise Wrong(f"there is no filter {node.name!r}", node.lineno)
            if isinstance(node, nodes.Test) and node.name not in _sandbox().tests:
                raise Wrong(f"there is no test {node.name!r}", node.lineno)
        if _depth(tree) > _DEEPEST:
            raise Wrong(f"more than {_DEEPEST} loops inside each other")
    except TemplateSyntaxError as error:
        raise Wrong(error.message or "not readable", error.lineno) from error
    return tree


def _depth(node: nodes.Node) -> int:
    below = max((_depth(child) for child in node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.For)


def _names(tree: nodes.Template) -> set[str]:
    """What it says of the facts: names that it reads and does not make itself, with the way
    below them where that is written out, and its filters."""
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"} | {"loop"}
    found = {f"|{each.name}" for each in tree.find_all(nodes.Filter)}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in own:
            found.add(name.name)
    for way in tree.find_all(nodes.Getattr):
        found.add(f".{way.attr}")
    return found
