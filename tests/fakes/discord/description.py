"""Discord's own description of its API: what a request or an answer has to look like.

A subtype (a component, a way to answer an interaction) is looked up by its `type`, so that what is
said to be wrong is what is wrong with that subtype. What a schema does not know is a problem too.
"""

import json
import re
from functools import cache
from pathlib import Path

from tests.fakes.bounds import in_range, within
from tests.fakes.discord.limits import Json

SPEC = Path(__file__).resolve().parents[4] / "shared" / "specs" / "discord-openapi.json"

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


@cache
def description() -> "Description | None":
    """The description; None where it is not to be had."""
    return Description(json.loads(SPEC.read_text("utf-8"))) if SPEC.is_file() else None


class Description:
    """The operations and schemas of the description."""

    def __init__(self, content: Json) -> None:
        self._schemas: Json = content["components"]["schemas"]
        self.operations: dict[str, tuple[str, str, Json]] = {
            operation["operationId"]: (method, path, operation)
            for path, methods in content["paths"].items()
            for method, operation in methods.items()
            if method != "parameters"
        }

    def request(self, operation: str, body: object) -> list[str]:
        """What is wrong with the JSON of a request; none described: only none is right."""
        described = self.operations[operation][2].get("requestBody")
        if described is None:
            return [] if body in (None, {}) else ["a body where none is described"]
        if body is None:
            return ["no body"] if described.get("required") else []
        return self.problems(described["content"]["application/json"]["schema"], body)

    def answer(self, operation: str, status: int, body: object) -> list[str]:
        """What is wrong with the JSON of an answer that went well."""
        described = self.operations[operation][2]["responses"].get(str(status), {})
        media = described.get("content", {}).get("application/json")
        return [] if media is None else self.problems(media["schema"], body)

    def problems(self, schema: Json, value: object, at: str = "") -> list[str]:
        """What in the value does not fit, each with the path to it."""
        if "$ref" in schema:
            return self.problems(self._named(schema["$ref"]), value, at)
        for union in ("oneOf", "anyOf"):
            if union in schema:
                return self._one_of(schema[union], value, at)
        found = [] if "properties" in schema else self._all_of(schema, value, at)
        return found or self._fits(schema, value, at)

    def _named(self, ref: str) -> Json:
        found: Json = self._schemas[ref.rpartition("/")[2]]
        return found

    def _all_of(self, schema: Json, value: object, at: str) -> list[str]:
        return [each for part in schema.get("allOf", ()) for each in self.problems(part, value, at)]

    def _one_of(self, branches: list[Json], value: object, at: str) -> list[str]:
        consts = [branch for branch in branches if "const" in branch]
        if consts and len(consts) == len(branches):
            allowed = [branch["const"] for branch in consts]
            return [] if value in allowed else [f"{at}: {value!r} is none of {allowed}"]
        if value is not None:
            branches = [branch for branch in branches if branch.get("type") != "null"]
        if isinstance(value, dict) and "type" in value:
            meant = [branch for branch in branches if self._is_of(branch, value["type"])]
            if not meant:
                return [f"{at}: nothing of type {value['type']!r} belongs here"]
            branches = meant
        return min((self.problems(branch, value, at) for branch in branches), key=len)

    def _is_of(self, branch: Json, kind: object) -> bool:
        schema = self._named(branch["$ref"]) if "$ref" in branch else branch
        enum = schema.get("properties", {}).get("type", {}).get("enum")
        return schema.get("type") != "null" and (enum is None or kind in enum)

    def _fits(self, schema: Json, value: object, at: str) -> list[str]:
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(_is(kind, value) for kind in kinds):
            return [f"{at}: {value!r} is no {' or '.join(kinds)}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{at}: {value!r} is none of {schema['enum']}"]
        if isinstance(value, dict):
            return self._object(schema, value, at)
        if isinstance(value, list):
            return self._array(schema, value, at)
        return _text(schema, value, at) if isinstance(value, str) else in_range(schema, value, at)

    def _array(self, schema: Json, value: list[object], at: str) -> list[str]:
        found = within(schema, "Items", len(value), at)
        for number, each in enumerate(value):
            found += self.problems(schema.get("items", {}), each, f"{at}[{number}]")
        return found

    def _object(self, schema: Json, value: Json, at: str) -> list[str]:
        known, required = _flat(self, schema)
        found = [f"{at}: {name} is missing" for name in required if name not in value]
        rest = schema.get("additionalProperties")
        for name, each in value.items():
            path = f"{at}.{name}" if at else name
            if name in known:
                found += self.problems(known[name], each, path)
            elif isinstance(rest, dict):
                found += self.problems(rest, each, path)
            elif known:
                found.append(f"{path}: unknown")
        return found


def _flat(description: Description, schema: Json) -> tuple[Json, list[str]]:
    """The properties of a schema and the names it asks for, with what `allOf` brings."""
    known = dict(schema.get("properties", {}))
    required = list(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        whole = description._named(part["$ref"]) if "$ref" in part else part
        more, needed = _flat(description, whole)
        known |= more
        required += needed
    return known, required


def _is(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return kind in _TYPES and isinstance(value, _TYPES[kind])


def _text(schema: Json, value: str, at: str) -> list[str]:
    found = within(schema, "Length", len(value), at)
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} does not match {schema['pattern']}")
    if schema.get("format") == "snowflake" and not re.fullmatch(r"0|[1-9][0-9]{0,19}", value):
        found.append(f"{at}: {value!r} is no id")
    if schema.get("format") == "uri" and not re.match(r"(https?|attachment|discord)://", value):
        found.append(f"{at}: {value!r} is no address")
    return found
