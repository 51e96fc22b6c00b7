"""Google's discovery document as a check: does a request, or an answer, fit what it describes?"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# tests/fakes/google_sheets/description.py -> the folder beside the repository
DOCUMENT = Path(__file__).resolve().parents[4] / "shared/specs/google-sheets-v4-discovery.json"

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
}


class Description:
    """The methods and schemas of one discovery document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas = document["schemas"]
        self._everywhere = document["parameters"]
        self._methods = list(_methods(document["resources"]))

    @classmethod
    def load(cls, path: Path = DOCUMENT) -> "Description | None":
        """The document beside the repository; None where it is absent."""
        if not path.exists():
            return None
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def request_problems(
        self, verb: str, path: str, query: Iterable[tuple[str, str]]
    ) -> tuple[list[str], str | None]:
        """What does not fit, and the name of the schema of the answer.

        `path` is percent-encoded as it was sent.
        """
        method = self._method(verb, path)
        if method is None:
            return [f"no method {verb} {path}"], None
        known = {**self._everywhere, **method.get("parameters", {})}
        query = list(query)
        problems = [problem for name, value in query for problem in _misfit(known, name, value)]
        for name in {name for name, _ in query}:
            many = sum(name == other for other, _ in query) > 1
            if many and not known.get(name, {}).get("repeated"):
                problems.append(f"{name} is given more than once")
        return problems, method["response"]["$ref"]

    def answer_problems(self, schema: str, answer: Any) -> list[str]:
        """Where an answer leaves the schema of that name."""
        return list(self._differences(self._schemas[schema], answer, schema))

    def _method(self, verb: str, path: str) -> Mapping[str, Any] | None:
        for method in self._methods:
            if method["httpMethod"] == verb and _pattern(method["path"]).fullmatch(path):
                return method
        return None

    def _differences(self, schema: Mapping[str, Any], value: Any, at: str) -> Iterable[str]:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        kind = schema.get("type")
        expected = _TYPES.get(str(kind))
        if expected is not None and not isinstance(value, expected):
            yield f"{at} is not of type {kind}"
        elif kind == "array":
            for index, item in enumerate(value):
                yield from self._differences(schema["items"], item, f"{at}[{index}]")
        elif kind == "object":
            properties = schema.get("properties", {})
            for name, item in value.items():
                if name not in properties:
                    yield f"{at} has no {name}"
                else:
                    yield from self._differences(properties[name], item, f"{at}.{name}")


def _methods(resources: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _methods(resource.get("resources", {}))


def _pattern(template: str) -> re.Pattern[str]:
    # A parameter is one segment and, since custom verbs follow a colon, holds none unencoded.
    parts = re.split(r"(\{\+?\w+\})", template)
    return re.compile(
        "/" + "".join("[^/:]+" if part.startswith("{") else re.escape(part) for part in parts)
    )


def _misfit(known: Mapping[str, Any], name: str, value: str) -> Iterable[str]:
    if name not in known or known[name].get("location") != "query":
        yield f"no query parameter {name}"
        return
    if "enum" in known[name] and value not in known[name]["enum"]:
        yield f"{name} can't be {value}"
    if known[name]["type"] == "boolean" and value not in ("true", "false"):
        yield f"{name} is not a boolean: {value}"
