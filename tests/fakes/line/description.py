"""LINE's own description of its API: what a request, an answer or an event has to look like.

LINE subtypes by `discriminator.mapping` without `oneOf`, so a plain JSON Schema validator would
accept a text message without a text. Here the subtype is looked up in the mapping, and what the
subtype does not know is a problem too.
"""

import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.bounds import in_range, within

Json = dict[str, Any]

SPECS = Path(__file__).resolve().parents[4] / "shared" / "specs"


@cache
def description(name: str) -> "Description | None":
    """The description `line-{name}.yml`; None where it is not to be had, or nothing reads it."""
    file = SPECS / f"line-{name}.yml"
    # YAML is read in tests only; the fake serves `miyabi chat --as-line` too, which has no reader.
    if not file.is_file() or importlib.util.find_spec("yaml") is None:
        return None
    import yaml

    # The safe loader that is written in C where there is one: 0.2 s instead of 3.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Description(yaml.load(file.read_text(encoding="utf-8"), loader))  # noqa: S506


def utf16(text: str) -> int:
    """The length of a text as LINE counts it: in units of UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Description:
    """One file of LINE's description."""

    def __init__(self, content: Json) -> None:
        self.schemas: Json = content.get("components", {}).get("schemas", {})
        self.operations: dict[str, tuple[str, str, Json]] = {}
        for path, methods in content["paths"].items():
            for method, operation in methods.items():
                if method != "parameters":
                    self.operations[operation["operationId"]] = (method, path, operation)
        self._flat: dict[str, Json] = {}

    def request(self, operation: str, body: object) -> list[str]:
        """What is wrong with the body of a request; no body is described: nothing is."""
        described = self.operations[operation][2].get("requestBody")
        if described is None:
            return [] if body in (None, {}) else ["a body where none is described"]
        media = next(iter(described["content"].values()))
        return self.problems(media["schema"], body)

    def answer(self, operation: str, status: int, body: object) -> list[str]:
        """What is wrong with the JSON of an answer."""
        described = self.operations[operation][2]["responses"].get(str(status))
        if described is None:
            return []
        media = described.get("content", {}).get("application/json")
        return [] if media is None else self.problems(media["schema"], body)

    def problems(
        self, schema: Json, value: object, at: str = "", *, unknown_types: bool = False
    ) -> list[str]:
        """What in the value does not fit, each with the path to it.

        `unknown_types`: a subtype that the description does not know is no problem.
        """
        if value is None and schema.get("nullable"):
            return []
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            found = self._subtype(name, value)
            if found is None:
                kind = value.get("type") if isinstance(value, dict) else value
                return [] if unknown_types else [f"{at}: no {name} of type {kind!r}"]
            return self._fits(self._flattened(found), value, at, unknown_types)
        if "oneOf" in schema:
            tries = [self.problems(each, value, at) for each in schema["oneOf"]]
            return min(tries, key=len)
        return self._fits(schema, value, at, unknown_types)

    def _subtype(self, name: str, value: object) -> str | None:
        """The schema that this value must fit, by the discriminator; None: an unknown type."""
        by = self.schemas[name].get("discriminator")
        if by is None or not isinstance(value, dict):
            return name
        kind = value.get(by["propertyName"])
        mapped = by["mapping"].get(kind) if isinstance(kind, str) else None
        return mapped.rpartition("/")[2] if mapped else None

    def _flattened(self, name: str) -> Json:
        """A schema with all that its `allOf` brings, as one."""
        if name not in self._flat:
            self._flat[name] = self._flatten(self.schemas[name])
        return self._flat[name]

    def _flatten(self, schema: Json) -> Json:
        whole = {**schema, "properties": {}, "required": list(schema.get("required", ()))}
        for given in schema.get("allOf", ()):
            base = given.get("$ref", "").rpartition("/")[2]
            part = self._flattened(base) if base else given
            whole["properties"] |= part.get("properties", {})
            whole["required"] += part.get("required", ())
        whole["properties"] |= schema.get("properties", {})
        if not whole["properties"]:
            del whole["properties"]
        return whole

    def _fits(self, schema: Json, value: object, at: str, unknown_types: bool) -> list[str]:
        kind = schema.get("type", "object" if "properties" in schema else None)
        if not _is(kind, value):
            return [f"{at}: {value!r} is no {kind}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{at}: {value!r} is none of {schema['enum']}"]
        if isinstance(value, dict):
            return self._object(schema, value, at, unknown_types)
        if isinstance(value, list):
            return self._array(schema, value, at, unknown_types)
        return _text(schema, value, at) if isinstance(value, str) else in_range(schema, value, at)

    def _array(self, schema: Json, value: list[object], at: str, unknown_types: bool) -> list[str]:
        found = within(schema, "Items", len(value), at)
        for number, each in enumerate(value):
            path = f"{at}[{number}]"
            found += self.problems(schema.get("items", {}), each, path, unknown_types=unknown_types)
        return found

    def _object(self, schema: Json, value: Json, at: str, unknown_types: bool) -> list[str]:
        found = [
            f"{at}: {name} is missing"
            for name in dict.fromkeys(schema.get("required", ()))
            if name not in value
        ]
        known = schema.get("properties")
        rest = schema.get("additionalProperties")
        for name, each in value.items():
            path = f"{at}.{name}" if at else name
            if known is not None and name in known:
                found += self.problems(known[name], each, path, unknown_types=unknown_types)
            elif isinstance(rest, dict):
                found += self.problems(rest, each, path, unknown_types=unknown_types)
            elif known is not None and not unknown_types:
                found.append(f"{path}: unknown")
        return found


def _is(kind: str | None, value: object) -> bool:
    """Whether a value is of the JSON type (none described: anything is)."""
    if isinstance(value, bool):
        return kind in (None, "boolean")
    types: dict[str, type | tuple[type, ...]] = {
        "object": dict,
        "array": list,
        "string": (str, bytes),
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    return kind is None or isinstance(value, types[kind])


def _text(schema: Json, value: str, at: str) -> list[str]:
    found = within(schema, "Length", utf16(value), at)
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} does not match {schema['pattern']}")
    if schema.get("format") == "uri" and not re.match(r"[a-z][a-z0-9+.-]*:", value):
        found.append(f"{at}: {value!r} is no address")
    return found
