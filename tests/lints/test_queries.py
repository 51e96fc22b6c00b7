"""No query without its organisation: a forgotten one would show a company another's business."""

import ast
import re

from tests.lints.source import Source, called, sources

_SQL = re.compile(
    r"^(?:\s|--[^\n]*\n)*"
    r"(?:with|select|insert\s+into|update|delete\s+from|WITH|SELECT|INSERT\s+INTO|UPDATE|DELETE)\b"
)
_TABLE = re.compile(r"\b(?:from|join|into|update)\s+[a-z_]+", re.IGNORECASE)
_BUILDERS = {"select", "update", "delete", "insert"}
_REASON = re.compile(r"(?:#|--) across organisations: \S+")


def forgotten(source: Source) -> list[str]:
    """The statements that neither name their organisation nor say why they need not."""
    builders = _imported_builders(source.tree)
    found = []
    for statement in _statements(source.tree):
        if not _asks(statement, builders):
            continue
        last = getattr(statement, "end_lineno", statement.lineno)
        text = source.lines(statement.lineno, last)
        above = source.lines(statement.lineno - 2, statement.lineno - 1)
        if "organisation_id" not in text and not _REASON.search(f"{above}\n{text}"):
            found.append(f"{source.name}:{statement.lineno}")
    return found


def _statements(tree: ast.AST) -> list[ast.stmt]:
    """Simple statements, and the heads of compound ones (a query may stand in an `if`)."""
    heads: list[ast.stmt] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            if not body:
                heads.append(node)
            elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                heads.append(_head(node, body[0].lineno))
    return heads


def _head(node: ast.stmt, body_starts: int) -> ast.stmt:
    """A compound statement without its body, which holds statements of its own."""
    head = ast.Expr(ast.Tuple([e for e in ast.iter_child_nodes(node) if isinstance(e, ast.expr)]))
    for item in getattr(node, "items", ()):
        head.value.elts.append(item.context_expr)  # type: ignore[attr-defined]
    head.lineno, head.end_lineno = node.lineno, max(node.lineno, body_starts - 1)
    return head


def _asks(statement: ast.stmt, builders: set[str]) -> bool:
    """Whether a statement holds SQL that reads or writes a table. Docstrings do not."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return False
    return any(
        (_SQL.match(_text(node)) and _TABLE.search(_text(node))) or called(node) in builders
        for node in ast.walk(statement)
    )


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or " x " for part in node.values)
    return ""


def _imported_builders(tree: ast.AST) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for alias in node.names
        if alias.name in _BUILDERS
    }


def test_every_query_names_its_organisation_or_says_why_not() -> None:
    found = [
        line for s in sources("core", "notifier", "bot", "web", "agents") for line in forgotten(s)
    ]

    assert found == [], "name organisation_id, or comment `# across organisations: <reason>`"


def test_a_query_that_forgets_is_found_wherever_it_stands() -> None:
    bad = Source.of(
        "from sqlalchemy import text, select, update as change\n"
        "_Q = text('''\n  -- all\n  select id from tasks where state = :state''')\n"
        "async def f(c, table):\n"
        "    '''select nothing from here'''\n"
        "    if await c.scalar('select 1 from people'):\n"
        "        await c.execute(f'update {table} set state = 1')\n"
        "    async with c.stream('delete from outbox') as rows:\n"
        "        await c.execute(select(tasks))\n"
        "    return await c.execute(change(tasks).values(a=1))\n"
    )

    assert sorted(forgotten(bad)) == [f"bad.py:{line}" for line in (10, 11, 2, 7, 8, 9)]


def test_a_query_with_its_organisation_or_a_reason_is_fine() -> None:
    good = Source.of(
        "async def f(c):\n"
        "    await c.execute('select id from tasks where organisation_id = :organisation_id')\n"
        "    # across organisations: the sweeper serves them all\n"
        "    await c.execute('select id from tasks')\n"
        "    await c.execute('select pg_advisory_lock(1)')\n"
        "    return 'Select one from the list', c.update({}), select(1)\n"
    )

    assert forgotten(good) == []


def test_a_reason_left_empty_is_no_reason() -> None:
    assert forgotten(Source.of("# across organisations:\nq = 'select id from tasks'\n"))
