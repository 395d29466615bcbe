"""The discovery documents that google-api-python-client ships, as what is allowed: paths, parameters, bodies.

They are JSON Schema of an early draft; ``strict`` writes them in the present one, in which nothing unknown is allowed.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator, FormatChecker

from tests.google.errors import Violation

INTEGERS = {"int32": (-(2**31), 2**31), "uint32": (0, 2**32), "int64": (-(2**63), 2**63), "uint64": (0, 2**64)}
CHECKER = FormatChecker(())


def _within(least: int, beyond: int) -> Any:
    def check(value: object) -> bool:
        if isinstance(value, str) and not re.fullmatch(r"-?[0-9]+", value):
            return False
        return not isinstance(value, str | int) or least <= int(value) < beyond

    return check


for _name, (_least, _beyond) in INTEGERS.items():
    CHECKER.checks(_name, raises=())(_within(_least, _beyond))


@CHECKER.checks("byte", raises=ValueError)
def _is_base64url(value: object) -> bool:
    text = str(value)
    urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return bool(re.fullmatch(r"[-\w]*={0,2}", text, re.ASCII))


@CHECKER.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return bool(date.fromisoformat(str(value)))


@CHECKER.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return datetime.fromisoformat(str(value)) is not None


def strict(node: Any) -> Any:
    """A schema of a discovery document in today's words."""
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": f"#/$defs/{node['$ref']}"}
    kept = {key: node[key] for key in ("format", "enum", "pattern") if key in node}
    if node.get("type", "any") != "any":
        kept["type"] = node["type"]
    if "items" in node:
        kept["items"] = strict(node["items"])
    if node.get("type") == "object":
        kept["properties"] = {name: strict(each) for name, each in node.get("properties", {}).items()}
        kept["additionalProperties"] = strict(node.get("additionalProperties", False))
    return kept


@dataclass(frozen=True, slots=True)
class Command:
    """One method of an API."""

    ident: str
    http_method: str
    path: re.Pattern[str]
    upload: re.Pattern[str] | None
    parameters: Mapping[str, Any]
    request: str | None
    response: str | None
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """The command that a path means, the values in that path, and whether its body is media."""

    api: Discovery
    command: Command
    values: dict[str, str]
    upload: bool


class Discovery:
    """One API, by name and version."""

    def __init__(self, name: str, version: str) -> None:
        shipped = files("googleapiclient.discovery_cache.documents") / f"{name}.{version}.json"
        document = json.loads(shipped.read_text(encoding="utf-8"))
        self.name = name
        self._schemas = {each: strict(node) for each, node in document["schemas"].items()}
        self._required = _required(document["schemas"])
        self._validators: dict[str, Draft202012Validator] = {}
        self._common = document["parameters"]
        self._commands = list(_commands(document, document["servicePath"]))
        self.batch_path = f"/batch/{name}/{version}"

    @property
    def idents(self) -> list[str]:
        return [command.ident for command in self._commands]

    def find(self, http_method: str, path: str) -> Found | None:
        for command in self._commands:
            for pattern, upload in ((command.path, False), (command.upload, True)):
                if pattern and command.http_method == http_method and (match := pattern.fullmatch(path)):
                    values = {name: unquote(value) for name, value in match.groupdict().items()}
                    return Found(self, command, values, upload)
        return None

    def arguments(self, found: Found, query: Mapping[str, list[str]]) -> dict[str, Any]:
        """What path and query give, in their types, with the defaults of what is left out."""
        known = {**self._common, **found.command.parameters}
        if found.upload:
            known["uploadType"] = {"type": "string", "enum": ["media", "multipart"]}
        given: dict[str, list[str]] = {**{name: [value] for name, value in found.values.items()}, **query}
        read: dict[str, Any] = {}
        for name, values in given.items():
            if name not in known:
                raise Violation(f'{found.command.ident}: unknown parameter "{name}"')
            if len(values) > 1 and not known[name].get("repeated"):
                raise Violation(f'{found.command.ident}: parameter "{name}" is given {len(values)} times')
            converted = [_converted(found.command.ident, name, known[name], value) for value in values]
            read[name] = converted if known[name].get("repeated") else converted[0]
        for name, parameter in known.items():
            if parameter.get("required") and name not in read:
                raise Violation(f'{found.command.ident}: parameter "{name}" is missing')
            if "default" in parameter and name not in read:
                read[name] = _converted(found.command.ident, name, parameter, parameter["default"])
        return read

    def check_request(self, found: Found, body: Any) -> None:
        ident, schema = found.command.ident, found.command.request
        if schema is None:
            if body is not None:
                raise Violation(f"{ident}: takes no body")
            return
        patches = found.command.http_method == "PATCH"
        self._check(schema, _without_nulls(body) if patches else body, ident)
        for name in self._required.get((schema, ident), ()):
            if name not in body and not (found.upload and name == "raw"):
                raise Violation(f'{ident}: "{name}" is missing in the body')

    def check_response(self, command: Command, body: Any) -> None:
        if command.response is None:
            if body is not None:
                raise Violation(f"answer to {command.ident}: must be empty")
            return
        self._check(command.response, body, f"answer to {command.ident}")

    def _check(self, schema: str, body: Any, where: str) -> None:
        if schema not in self._validators:
            rules = {"$ref": f"#/$defs/{schema}", "$defs": self._schemas}
            self._validators[schema] = Draft202012Validator(rules, format_checker=CHECKER)
        problems = list(self._validators[schema].iter_errors(body))
        if problems:
            said = "; ".join(f"{each.json_path}: {each.message[:300]}" for each in problems[:3])
            raise Violation(f"{where}: {said}")


@cache
def discovery(name: str, version: str) -> Discovery:
    """Read once: a document is half a megabyte."""
    return Discovery(name, version)


def _without_nulls(body: Any) -> Any:
    """A patch may take a field away by a null."""
    if isinstance(body, dict):
        return {name: _without_nulls(value) for name, value in body.items() if value is not None}
    return body


def _required(schemas: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for schema, node in schemas.items():
        for name, field in node.get("properties", {}).items():
            for ident in field.get("annotations", {}).get("required", ()):
                found.setdefault((schema, ident), []).append(name)
    return found


def _commands(node: Mapping[str, Any], base: str) -> Iterable[Command]:
    for method in node.get("methods", {}).values():
        upload = method.get("mediaUpload", {}).get("protocols", {}).get("simple")
        yield Command(
            ident=method["id"],
            http_method=method["httpMethod"],
            path=_pattern("/" + base + method["path"]),
            upload=_pattern(upload["path"]) if upload else None,
            parameters=method.get("parameters", {}),
            request=method.get("request", {}).get("$ref"),
            response=method.get("response", {}).get("$ref"),
            scopes=frozenset(method.get("scopes", ())),
        )
    for resource in node.get("resources", {}).values():
        yield from _commands(resource, base)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template)))


def _converted(ident: str, name: str, parameter: Mapping[str, Any], text: str) -> Any:
    wrong = Violation(f'{ident}: "{text}" is no value of parameter "{name}"')
    if "enum" in parameter and text not in parameter["enum"]:
        raise wrong
    if parameter["type"] == "boolean":
        if text not in ("true", "false"):
            raise wrong
        return text == "true"
    problem = parameter.get("format") and not CHECKER.conforms(text, parameter["format"])
    if problem or (parameter["type"] == "integer" and not re.fullmatch(r"-?[0-9]+", text)):
        raise wrong
    value = int(text) if parameter["type"] == "integer" else text
    if "minimum" in parameter and int(value) < int(parameter["minimum"]):
        raise wrong
    if "maximum" in parameter and int(value) > int(parameter["maximum"]):
        raise wrong
    return value
