"""The Jinja2 that texts of notices are written in: values, conditions, loops, our filters.

A company may write its own, so that it can do no more than that: no calls, no assignments, nothing
that makes much out of little, and of values only what JSON has. It gives plain text. What a channel
has to escape is escaped by that channel's own renderer, which takes every text as untrusted.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.environment import Template, TemplateExpression
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from notifier.hub.spoken import FILTERS, said

LONGEST = 10_000
"""Of what one text may become; more is cut."""
_DEEPEST = 2
"""Of loops in loops."""
_STEPS = 20_000
"""What all texts of a message may cost together: a lane that makes it does nothing else meanwhile.
A turn of a loop costs ten, and so does a filter with what it looks at."""
_TURN = 10

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name,
    nodes.Getattr, nodes.Getitem, nodes.Const, nodes.Filter, nodes.Test, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Concat, nodes.Add,
    nodes.Sub, nodes.Neg, nodes.Keyword, nodes.Tuple, nodes.List,
)  # fmt: skip
_OF_JINJA = ("default", "first", "last", "length", "lower", "trim", "upper")
_TESTS = ("defined", "undefined", "none", "number", "string", "in", "eq", "ne", "lt", "gt")
_EACH, _JOINED = "_each", "_joined"
"""Filters that stand around what a text walks through, and what it puts together."""
_OF_LOOP = ("first", "last", "index", "length")


class TooMuch(Exception):
    """A text wants more work, or becomes longer, than any that people read."""


@dataclass(slots=True)
class Budget:
    """What the texts of one message may still cost."""

    left: int = _STEPS

    def spend(self, steps: int) -> None:
        """Raises TooMuch."""
        self.left -= steps
        if self.left < 0:
            raise TooMuch


def _size(value: object, most: int) -> int:
    """How many values there are in it; no further than `most`."""
    if isinstance(value, str):
        return 1 + len(value) // 100
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return 1
    size = 1
    for each in value:
        size += _size(each, most - size)
        if size > most:
            break
    return size


class _Sandbox(ImmutableSandboxedEnvironment):
    """Of a mapping its keys, of a list its places, and nothing of anything else."""

    intercepted_binops = frozenset("+")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, str | Sequence) and isinstance(right, str | Sequence):
            _short(len(left) + len(right))
        return super().call_binop(context, operator, left, right)

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


def _short(length: int) -> None:
    if length > LONGEST:
        raise TooMuch


@pass_context
def _each(context: Context, value: Iterable[Any]) -> Sequence[Any]:
    """What a loop goes through, paid for."""
    items = list(value)
    context["_budget"].spend(_TURN * len(items))
    return items


@pass_context
def _joined(context: Context, parts: Sequence[Any], between: str = "") -> str:
    texts, length = [], 0
    for part in parts:
        texts.append(str(part))
        length += len(texts[-1]) + len(between)
        _short(length)
    return str(between).join(texts)


def _paid(make: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that is paid for by the size of what it is used on."""

    @wraps(make)
    def filtered(context: Context, value: Any, *more: Any, **named: Any) -> Any:
        budget: Budget = context["_budget"]
        budget.spend(_TURN + _size(value, budget.left))
        return make(context, value, *more, **named)

    return filtered


@cache
def _sandbox() -> _Sandbox:
    # S701: it gives plain text; each channel's renderer escapes (see above)
    made = _Sandbox(undefined=StrictUndefined, finalize=_finalize, autoescape=False)
    made.globals = {}
    made.filters = {name: made.filters[name] for name in _OF_JINJA}
    made.filters |= {name: _paid(make) for name, make in FILTERS.items()}
    made.filters |= {"join": _paid(_joined), _EACH: _each, _JOINED: _joined}
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
        self._made = _compiled(tree)

    def said(self, values: Mapping[str, Any]) -> str:
        """It with these values. Raises jinja2.UndefinedError where one is missing, TooMuch."""
        parts, length = [], 0
        for part in self._made.generate({"_budget": Budget(), **values}):
            parts.append(part)
            length += len(part)
            if length > LONGEST:
                break
        return "".join(parts)[:LONGEST].strip()


class Expression:
    """One value of the facts, as `alerts`."""

    def __init__(self, source: str) -> None:
        tree = _read("{{ " + source + " }}")
        self.names = frozenset(_names(tree))
        values = [each for part in tree.find_all(nodes.Output) for each in part.nodes]
        if len(tree.body) != 1 or len(values) != 1:
            raise Wrong("it is not one value")
        tree.body = [nodes.Assign(nodes.Name("result", "store"), values[0], lineno=1)]
        self._made = TemplateExpression(_compiled(tree), undefined_to_none=False)

    def of(self, values: Mapping[str, Any]) -> Any:
        """It, of these values. Raises jinja2.UndefinedError where it is missing, TooMuch."""
        found = self._made({"_budget": Budget(), **values})
        if isinstance(found, Undefined):
            str(found)  # raises, with its name
        return found


def _read(source: str) -> nodes.Template:
    try:
        tree = _sandbox().parse(source)
        for node in tree.find_all(nodes.Node):
            if not isinstance(node, _ALLOWED):
                raise Wrong(f"{type(node).__name__.lower()} can't be used here", node.lineno)
            if isinstance(node, nodes.Filter) and node.name not in _known():
                raise Wrong(f"there is no filter {node.name!r}", node.lineno)
            if isinstance(node, nodes.Test) and node.name not in _sandbox().tests:
                raise Wrong(f"there is no test {node.name!r}", node.lineno)
        if _depth(tree) > _DEEPEST:
            raise Wrong(f"more than {_DEEPEST} loops inside each other")
    except TemplateSyntaxError as error:
        raise Wrong(error.message or "not readable", error.lineno) from error
    except RecursionError as error:
        raise Wrong("too much of it inside each other") from error
    return tree


def _known() -> Collection[str]:
    return _sandbox().filters.keys() - {_EACH, _JOINED}


class _Bounded(NodeTransformer):
    """With what pays for loops, and looks at how long a text becomes, put around them."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  # Jinja's name
        self.generic_visit(node)
        node.iter = _filtered(cast("nodes.Expr", node.iter), _EACH)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  # likewise
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), _JOINED)


def _filtered(value: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)


def _compiled(tree: nodes.Template) -> Template:
    """What was read, ready to be made. Raises Wrong."""
    try:
        bounded = _Bounded().visit(tree).set_environment(_sandbox())
        return _sandbox().from_string(bounded)
    except TemplateSyntaxError as error:
        raise Wrong(error.message or "not readable", error.lineno) from error
    except (RecursionError, SyntaxError) as error:  # Python's own limits
        raise Wrong("too much of it inside each other") from error


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
