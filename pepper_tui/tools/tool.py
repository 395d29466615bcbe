"""A tool: a typed async function whose signature is its schema and whose docstring is its description.

Arguments that several tools share are declared in one ``TypedDict`` with its own ``Args:``: ``**said: Unpack[Said]``.

``read`` and ``local`` tools are one function ``f(ctx, **arguments) -> str | Json``. A ``local`` tool runs inside the
unit of work that commits its result, so what it stores is applied exactly once.

``write`` and ``send`` tools have two parts: ``resolve(ctx, **arguments) -> ResolvedEffect`` leaves nothing open and
touches nothing outside; the decorated body ``perform(ctx, effect) -> str`` does exactly that effect, once, after an
approval. A body raises ``NotDoneError`` if it knows that nothing happened; any other error means that the outcome is
unknown. ``revise(ctx, effect, fields)`` returns the effect that the user's edit asks for. ``probe(ctx, effect)`` checks
whether the effect happened: true, false, or ``None`` if unknown.

A ``local`` tool that ``asks`` changes what the user has ordered (such as a rule). It has ``resolve`` and a card like
those, but its body writes only our own store, so after approval it runs immediately, in one unit with the call's end.

A tool that ``resumes`` waits for something durable: it takes no slot, has no time limit unless one is set, and after a
crash is called again with the same call.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import typing
from collections.abc import Awaitable, Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pepper_tui.clock import Clock
from pepper_tui.model import CardLine, Effect, Json, ResolvedEffect, ToolCall, ToolSpec
from pepper_tui.tools.approvals.sameness import normalised
from pepper_tui.tools.errors import ArgumentError
from pepper_tui.tools.user_time import UserTime

if TYPE_CHECKING:
    from pydantic import BaseModel

    from pepper_tui.tools.tool_store import ToolStore

Given = TypeVar("Given")
OUTSIDE_EFFECTS: Final = frozenset({Effect.WRITE, Effect.SEND})


@dataclass(frozen=True)
class ToolContext:
    """What a tool gets besides its arguments. ``call`` is in its state at the start of the run."""

    store: ToolStore
    clock: Clock
    call: ToolCall
    time: UserTime
    tool: Tool
    report: Callable[[str], None] = lambda text: None
    checkpoint: Callable[[str], None] = lambda name: None

    @property
    def zone(self) -> tzinfo:
        """The user's time zone."""
        return self.time.zone

    def of(self, kind: type[Given]) -> Given:
        """Return the dependencies of this domain's tools; see ``Tool.with_given``."""
        given = self.tool.given
        for each in given if isinstance(given, tuple) else (given,):
            if isinstance(each, kind):
                return each
        raise TypeError(f"{self.tool.name} was not made with a {kind.__name__}")

    def progress(self, text: str) -> None:
        """Show ``text`` beside the running call. Live only: it is not history."""
        self.report(text)

    def effect(
        self, *, account: str, summary: str, lines: Sequence[CardLine], payload: Json, not_before: float = 0.0
    ) -> ResolvedEffect:
        """Return a resolved effect of this tool."""
        tool = self.tool
        return ResolvedEffect(tool.name, tool.definition, account, summary, list(lines), payload, not_before)


Body = Callable[..., Awaitable[str | Json]]
Resolve = Callable[..., Awaitable[ResolvedEffect]]
Revise = Callable[[ToolContext, ResolvedEffect, dict[str, str]], Awaitable[ResolvedEffect]]
Probe = Callable[[ToolContext, ResolvedEffect], Awaitable[bool | None]]
About = Callable[[ToolContext, Json], Awaitable[str]]
Ordered = Callable[[ToolContext, ResolvedEffect], Awaitable[bool]]


@dataclass(frozen=True, kw_only=True)  # keyword-only: several fields in a row are bools
class Tool:
    """One tool as held by the registry. Build it with ``tool``.

    ``same`` selects from a payload what makes two effects the same request (a fresh Message-ID does not). ``account``
    returns the account that a payload would use now, given the tool's dependencies. ``taints``: results contain text
    from outside; if only the run can tell, ``tainted`` is asked after it. ``rerunnable``: a ``local`` tool that may run
    twice and commits on its own. ``on_cancel`` runs after a call was cancelled; for an outside tool, when the user
    wants to stop a running attempt: it asks the other side to, and the body's own end reports the outcome.

    ``reaches``: the web address in a payload, if revealing that address is all that the effect does outside. If the
    user typed all of it in this turn, the call is a ``read``: see ``policy``. Such a body may run twice.

    ``effect_of``: the effect for a payload, for a tool whose effect depends on it; ``effect`` is the strictest of them.
    A payload that only reads is read immediately, and such a body may run twice.

    ``asks``: a ``local`` tool that needs approval. ``ordered``: whether the user's own typed message orders exactly
    this effect; then no card is opened. ``writes``: reserved namespaces that its body may write after approval.
    ``waits``: its calls only wait, so they don't hold up other calls of their step. ``about``: the matter that an
    effect with these arguments belongs to; empty if unknown. ``fate``: a probe that needs no asking: where it tells
    what became of an unknown outcome, that is settled.
    """

    name: str
    effect: Effect
    body: Body
    resolve: Resolve | None = None
    revise: Revise | None = None
    probe: Probe | None = None
    account: Callable[[Any, Json], str] | None = None
    same: Callable[[Json], Json] = lambda payload: payload
    on_cancel: Callable[[ToolContext], Awaitable[object]] | None = None
    timeout: float | None = None
    resumes: bool = False
    taints: bool = True
    rerunnable: bool = False
    tainted: Callable[[ToolContext], Awaitable[bool]] | None = None
    reaches: Callable[[Json], str] | None = None
    effect_of: Callable[[Json], Effect] | None = None
    asks: bool = False
    ordered: Ordered | None = None
    writes: frozenset[str] = frozenset()
    waits: bool = False
    about: About | None = None
    fate: Probe | None = None
    extra: Json = field(default_factory=dict)
    given: object = None

    def with_given(self, given: object) -> Tool:
        """Return this tool with the dependencies of its domain's tools, a record that ``ToolContext.of`` returns.

        A tool of several domains is given a tuple of their records.
        """
        return replace(self, given=given)

    @property
    def offered(self) -> bool:
        """Whether the tool is offered to models."""
        return True

    @property
    def outside(self) -> bool:
        return self.effect in OUTSIDE_EFFECTS

    @property
    def needs_yes(self) -> bool:
        """Whether a call opens a card."""
        return self.outside or self.asks

    @property
    def model(self) -> type[BaseModel]:
        """The arguments as a pydantic model; unknown ones are errors."""
        return _model(self.name, self.body, self.resolve)

    @cached_property
    def parameters(self) -> Json:
        """JSON Schema of the arguments."""
        return deepcopy(schema_of(self.name, self.body, self.resolve))

    @cached_property
    def definition(self) -> str:
        """Hash of name, schema and effect: an approval for one definition is not valid for another."""
        bound = {"name": self.name, "parameters": self.parameters, "effect": self.effect.value}
        return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()

    @cached_property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, _documented(self.body, self.resolve)[0], self.parameters, self.effect, self.resumes)

    def validate(self, arguments: Json) -> Json:
        """Return the arguments with their types and defaults. Raises ``ArgumentError``."""
        from pydantic import ValidationError

        if not isinstance(arguments, dict):
            raise ArgumentError(f"{self.name}: the arguments must be an object")
        try:
            try:
                checked = self.model.model_validate(arguments)
            except ValidationError:
                checked = self.model.model_validate(self._without_nulls(arguments))
        except ValidationError as error:
            raise ArgumentError(f"{self.name}: " + "; ".join(_words(p) for p in error.errors())) from error
        except RecursionError as error:
            raise ArgumentError(f"{self.name}: the arguments are nested too deeply") from error
        return {name: getattr(checked, name) for name in type(checked).model_fields}

    def _without_nulls(self, arguments: Json) -> Json:
        """Return ``arguments`` without ``null`` for those with a default; some models omit arguments that way."""
        known = self.model.model_fields
        return {
            name: value
            for name, value in arguments.items()
            if value is not None or name not in known or known[name].is_required()
        }

    def same_key(self, effect: ResolvedEffect) -> str:
        """Return a key that is equal for two effects that a person would call the same request: see ``sameness``."""
        bound = {"tool": effect.tool, "account": effect.account, "payload": normalised(self.same(effect.payload))}
        return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:32]


# What follows from a tool's functions is worked out once a process: it is most of what it costs to open an engine.
_TOOLS: Final = 512


@lru_cache(_TOOLS)
def _documented(body: Body, resolve: Resolve | None) -> tuple[str, dict[str, str]]:
    """Return what a tool does, and what each argument means."""
    description, arguments = parse_docstring(inspect.getdoc(body) or "")
    if resolve is not None:
        arguments = {**parse_docstring(inspect.getdoc(resolve) or "")[1], **arguments}
    if (shared := _shared(resolve or body)) is not None:
        arguments = {**parse_docstring(inspect.getdoc(shared) or "")[1], **arguments}
    return description, arguments


@lru_cache(_TOOLS)
def _model(name: str, body: Body, resolve: Resolve | None) -> type[BaseModel]:
    from pydantic import ConfigDict, Field, create_model

    described = _documented(body, resolve)[1]
    fields: dict[str, Any] = {
        argument: (hint, Field(default, description=described.get(argument)))
        for argument, hint, default in _arguments(resolve or body)
    }
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


@lru_cache(_TOOLS)
def schema_of(name: str, body: Body, resolve: Resolve | None) -> Json:
    """Return the JSON Schema of a tool's arguments, which the caller must not change."""
    schema = _model(name, body, resolve).model_json_schema()
    schema.pop("title", None)
    for each in schema.get("properties", {}).values():
        each.pop("title", None)
    return schema


def _words(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"'{where}' is missing"
    if problem["type"] == "extra_forbidden":
        return f"unknown argument '{where}'"
    message = str(problem["msg"]).removeprefix("Input ").removeprefix("Value error, ")
    return f"'{where}' {message}"


def tool(
    *,
    effect: Effect,
    resolve: Resolve | None = None,
    revise: Revise | None = None,
    probe: Probe | None = None,
    account: Callable[[Any, Json], str] | Callable[[Any], str] | None = None,
    same: Callable[[Json], Json] = lambda payload: payload,
    on_cancel: Callable[[ToolContext], Awaitable[object]] | None = None,
    timeout: float | None = None,
    resumes: bool = False,
    taints: bool | None = None,
    rerunnable: bool = False,
    tainted: Callable[[ToolContext], Awaitable[bool]] | None = None,
    reaches: Callable[[Json], str] | None = None,
    asks: bool = False,
    ordered: Ordered | None = None,
    writes: frozenset[str] = frozenset(),
    waits: bool = False,
    about: About | None = None,
    name: str = "",
) -> Callable[[Body], Tool]:
    """Make a ``Tool`` of a typed async function. ``timeout`` in seconds; ``None`` means the config's.

    ``account`` need not take the payload.

    Raises ``TypeError`` for a tool that needs approval without ``resolve``, any other with one, and for ``asks``,
    ``ordered`` or ``writes`` without meaning.
    """
    _must_make_sense(effect, asks=asks, resolves=resolve is not None, for_asking=ordered is not None or bool(writes))
    taint = effect is not Effect.LOCAL if taints is None else taints

    def decorate(function: Body) -> Tool:
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"{function!r} is not an async function")
        return Tool(
            name=name or function.__name__,
            effect=effect,
            body=function,
            resolve=resolve,
            revise=revise,
            probe=probe,
            account=None if account is None else _given_payload(account),
            same=same,
            on_cancel=on_cancel,
            timeout=timeout,
            resumes=resumes,
            taints=taint,
            rerunnable=rerunnable,
            tainted=tainted,
            reaches=reaches,
            asks=asks,
            ordered=ordered,
            writes=writes,
            waits=waits,
            about=about,
        )

    return decorate


def _given_payload(account: Callable[..., str]) -> Callable[[Any, Json], str]:
    """Return ``account`` as it is called, with the payload."""
    try:
        inspect.signature(account).bind(None, {})
    except (TypeError, ValueError):  # the latter: a built-in that tells no arguments
        return lambda given, _: account(given)
    return account


def _arguments(function: Body | Resolve) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, type and default (``...`` for none) of each argument, including shared ones."""
    hints = typing.get_type_hints(function, include_extras=True)
    shared = _shared(function)
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if shared is None or parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            yield parameter.name, hints[parameter.name], default
    if shared is not None:
        for name, hint in typing.get_type_hints(shared, include_extras=True).items():
            yield name, hint, None


def _shared(function: Body | Resolve) -> type | None:
    """Return the ``TypedDict`` in ``**said: Unpack[Said]``: optional arguments that several tools share."""
    for hint in typing.get_type_hints(function, include_extras=True).values():
        if typing.get_origin(hint) is typing.Unpack:
            return typing.cast("type", typing.get_args(hint)[0])
    return None


def _must_make_sense(effect: Effect, *, asks: bool, resolves: bool, for_asking: bool) -> None:
    if asks and effect is not Effect.LOCAL:
        raise TypeError("only a local tool asks; write and send tools always do")
    if for_asking and not asks:
        raise TypeError("ordered and writes are for a tool that asks")
    if (effect in OUTSIDE_EFFECTS or asks) != resolves:
        raise TypeError("tools that need a yes need resolve; others have none")


_ARGUMENT = re.compile(r"^\s{0,8}(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


def parse_docstring(doc: str) -> tuple[str, dict[str, str]]:
    """Return the description (all before ``Args:``) and the ``Args:`` text of each argument."""
    description, _, rest = doc.partition("Args:")
    arguments: dict[str, str] = {}
    current = ""
    for line in rest.splitlines():
        match = _ARGUMENT.match(line)
        if match:
            current = match[1]
            arguments[current] = match[2].strip()
        elif current and line.strip():
            arguments[current] += " " + line.strip()
    return " ".join(description.split()), arguments
