"""The page of all audit events, made of their registry: `python -m core.audit_docs` writes it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from audit.event import ENVELOPE, VERSION
from audit.registry import Declaration, Declared, Kind
from core.tags import Tag

PAGE = Path(__file__).resolve().parent.parent / "docs" / "audit-events.md"

_HEAD = f"""\
# Audit events

<!-- Made by `python -m core.audit_docs` of core/tags.py and audit/event.py; a test compares. -->

All that can stand in the audit log. An event of another tag, without a field that it must have, \
with one that is not listed, or with a value of another kind (a float above all) can't be made, \
and so not written: `audit/registry.py`. Secrets and what people wrote do not go in; of a document \
its SHA-256 does.

## Envelope

Every event is a JSON object with exactly these fields (version {VERSION}), hashed as RFC 8785 \
spells it.

"""


def page() -> str:
    """The page in Markdown."""
    parts = [_HEAD, *_table(("field", "what it says"), ENVELOPE.items())]
    for source in dict.fromkeys(tag.partition(":")[0] for tag in Tag):
        parts.append(f"\n## {source}\n")
        for tag in sorted(tag for tag in Tag if tag.startswith(f"{source}:")):
            parts.extend(_entry(tag))
    return "".join(parts)


def _entry(tag: Declared) -> Iterator[str]:
    declaration = tag.declaration
    yield f"\n### `{tag}`\n\n{declaration.means}\n\nStream: the {declaration.subject}."
    named = _named(declaration)
    yield f" The envelope names the {named}.\n\n" if named else "\n\n"
    yield from _table(("field of `data`", "what it holds"), _fields(declaration))


def _named(declaration: Declaration) -> str:
    names = {"revision": declaration.revision, "step": declaration.step}
    return " and the ".join(name for name, named in names.items() if named)


def _fields(declaration: Declaration) -> Iterator[tuple[str, str]]:
    kinds: tuple[tuple[Mapping[str, Kind], str], ...] = (
        (declaration.must, ""),
        (declaration.may, " (may be missing)"),
    )
    for fields, note in kinds:
        for name, kind in sorted(fields.items()):
            yield name, kind.says + note


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"| {head[0]} | {head[1]} |\n|---|---|\n"
    for name, says in rows:
        yield f"| `{name}` | {says} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
