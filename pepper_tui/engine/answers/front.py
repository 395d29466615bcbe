"""The whole engine protocol on the socket: one verb per method, for a front in another process (``engine/client.py``).

A request holds the version of the wire, the method's arguments, and for every act the token. An act done through the
socket is recorded as such.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, get_args

from pepper_tui.engine.answers.socket import Answer, RemoteError
from pepper_tui.engine.protocol import ChoiceError, Engine, EngineError, UnknownAnswer
from pepper_tui.engine.wire import (
    PREFIX,
    VERSION,
    context_data,
    filter_of,
    piece_data,
    spans_of,
    update_data,
    written_data,
    written_of,
)
from pepper_tui.model import Json, Record, Written, acting_through

SOCKET: Final = "socket"
"""How records name the way by which a front in another process acts."""
_UPDATES_AN_ITEM: Final = 64

Method = Callable[[Json], Awaitable[Any]]


def front_answers(engine: Engine, token: str) -> Mapping[str, Answer]:
    """Return the verbs that a running engine's socket serves to a front."""
    found: dict[str, Answer] = {"greet": partial(_greeted, engine)}
    found |= {name: partial(_looked, stream) for name, stream in _streams(engine).items()}
    found |= {name: partial(_looked, partial(_value, method)) for name, method in _looks(engine).items()}
    found |= {name: partial(_acted, token, method) for name, method in _acts(engine).items()}
    return {f"{PREFIX}{name}": answer for name, answer in found.items()}


def _streams(engine: Engine) -> Mapping[str, Answer]:
    return {
        "recall": partial(_recalled, engine),
        "health": partial(_health, engine),
        "updates": partial(_updates, engine),
        "replies": partial(_replies, engine),
        "mail_thread": partial(_mail_thread, engine),
        "mail_changes": partial(_mail_changes, engine),
    }


def _looks(engine: Engine) -> Mapping[str, Method]:
    return {
        "held_back": lambda given: engine.held_back(float(given["since"])),
        "why": lambda given: engine.why(str(given["ref"])),
        "dead_letters": lambda given: engine.dead_letters(),
        "mails": lambda given: _record(
            engine.mails(
                str(given["query"]),
                first=int(given["first"]),
                limit=int(given["limit"]),
                newest=bool(given["newest"]),
                around=str(given["around"]),
            )
        ),
        "mail_head": lambda given: _record(engine.mail_head(str(given["kind"]), str(given["mail"]))),
        "attachment": lambda given: _file(engine.attachment(str(given["mail"]), int(given["number"]))),
        "attachment_text": lambda given: _record(
            engine.attachment_text(str(given["mail"]), int(given["number"]), int(given["first"]))
        ),
        "days": lambda given: _record(engine.days(str(given["first"]), int(given["count"]))),
        "rules": lambda given: _records(engine.rules()),
        "rule_acts": lambda given: _records(engine.rule_acts(str(given["rule_id"]), int(given["limit"]))),
        "rule_versions": lambda given: engine.rule_versions(str(given["rule_id"])),
    }


def _acts(engine: Engine) -> Mapping[str, Method]:
    return {
        "say": lambda given: engine.say(
            str(given["text"]),
            spans=spans_of(given["spans"]),
            after_calls=bool(given["after_calls"]),
            alone=bool(given["alone"]),
            key=str(given["key"]),
        ),
        "take_back": lambda given: _written(engine.take_back()),
        "stop_reply": lambda given: engine.stop_reply(),
        "approve": lambda given: engine.approve(str(given["approval_id"])),
        "reject": lambda given: engine.reject(str(given["approval_id"]), str(given["note"])),
        "edit": lambda given: engine.edit(
            str(given["approval_id"]),
            {str(label): str(value) for label, value in given["fields"].items()},
            [str(label) for label in given["typed"]],
        ),
        "dismiss": lambda given: engine.dismiss(*_refs(given)),
        "done": lambda given: engine.done(*_refs(given)),
        "file": lambda given: engine.file([str(ref) for ref in given["refs"]], str(given["act"]), str(given["folder"])),
        "seen": lambda given: engine.seen(str(given["ref"])),
        "attend": lambda given: engine.attend(bool(given["at_inbox"])),
        "snooze": lambda given: engine.snooze(_refs(given)[0], str(given["when"]), *_refs(given)[1:]),
        "choose": lambda given: engine.choose(str(given["ref"]), int(given["number"])),
        "answer": lambda given: engine.answer(str(given["ref"]), str(given["text"]), spans=spans_of(given["spans"])),
        "answer_unknown": lambda given: engine.answer_unknown(str(given["call_id"]), _unknown(given["answer"])),
        "cancel_call": lambda given: engine.cancel_call(str(given["call_id"])),
        "undo": lambda given: engine.undo(),
        "redo": lambda given: engine.redo(),
        "redrive": lambda given: engine.redrive(),
        "pause_rule": lambda given: engine.pause_rule(str(given["rule_id"])),
        "resume_rule": lambda given: engine.resume_rule(str(given["rule_id"])),
        "remove_rule": lambda given: engine.remove_rule(str(given["rule_id"])),
        "write_mail": lambda given: engine.write_mail(
            str(given["kind"]),
            str(given["mail"]),
            {str(name): said for name, value in given["fields"].items() if (said := written_of(value)) is not None},
        ),
        "order_event": lambda given: engine.order_event(
            str(given["act"]), str(given["ref"]), str(given["day"]), written_of(given["said"]) or Written("")
        ),
        "save_draft": lambda given: engine.save_draft(str(given["approval_id"])),
        "propose_rule": lambda given: engine.propose_rule(str(given["ref"])),
    }


def _refs(given: Json) -> list[str]:
    first, *more = given["refs"]
    return [str(first), *map(str, more)]


async def _record(found: Awaitable[Record]) -> Json:
    return (await found).data()


async def _file(found: Awaitable[tuple[str, bytes]]) -> list[str]:
    name, data = await found
    return [name, base64.b64encode(data).decode()]


async def _records(found: Awaitable[Sequence[Record]]) -> list[Json]:
    return [record.data() for record in await found]


async def _written(taken: Awaitable[Written | None]) -> Json | None:
    return written_data(await taken)


def _unknown(answer: Any) -> UnknownAnswer:
    known: dict[str, UnknownAnswer] = {each: each for each in get_args(UnknownAnswer)}
    return known[answer]


# ------------------------------------------------------------------------------------------------- requests


async def _greeted(engine: Engine, request: Json) -> AsyncIterator[Json]:
    _must_be_of_this_version(request)
    yield {"version": VERSION, "zone": str(engine.zone), "model_name": engine.model_name, "offline": engine.offline}


async def _looked(answer: Answer, request: Json) -> AsyncIterator[Json]:
    _must_be_of_this_version(request)
    async for item in _in_words(answer, request):
        yield item


async def _acted(token: str, method: Method, request: Json) -> AsyncIterator[Json]:
    _must_be_of_this_version(request)
    if not hmac.compare_digest(str(request.get("token", "")).encode(), token.encode()):
        raise RemoteError("only a front that opened Pepper's screen may do this; start it again")
    async for item in _in_words(partial(_value, _through_the_socket(method)), request):
        yield item


def _through_the_socket(method: Method) -> Method:
    async def act(work: Awaitable[Any]) -> Any:
        with acting_through(SOCKET):
            return await work

    return lambda given: act(method(given))


def _must_be_of_this_version(request: Json) -> None:
    if (theirs := request.get("version")) != VERSION:
        raise RemoteError(
            f"the engine speaks version {VERSION} of the protocol and this front {str(theirs)[:20]}:"
            " start both anew with the same Pepper"
        )


async def _in_words(answer: Answer, request: Json) -> AsyncIterator[Json]:
    """Yield the items, and last the engine's refusal, if any."""
    try:
        async for item in answer(dict(request.get("given") or {})):
            yield item
    except EngineError as error:
        choices = [[*each] for each in error.choices] if isinstance(error, ChoiceError) else None
        yield {"refused": error.words, "choices": choices}


async def _value(method: Method, given: Json) -> AsyncIterator[Json]:
    with _understood():
        work = method(given)
    yield {"value": await work}


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    """Convert errors from malformed arguments to ``RemoteError``."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RemoteError(f"the engine did not understand what it was asked: {error!r:.100}") from error


# -------------------------------------------------------------------------------------------------- streams


async def _recalled(engine: Engine, given: Json) -> AsyncIterator[Json]:
    with _understood():
        wanted = filter_of(given["filter"])
    for context in await engine.recall(wanted):
        yield {"context": context_data(context)}


async def _health(engine: Engine, given: Json) -> AsyncIterator[Json]:
    for context in await engine.health():
        yield {"context": context_data(context)}


async def _updates(engine: Engine, given: Json) -> AsyncIterator[Json]:
    """Yield first that the subscription is open, then the updates; an empty list means that some were missed."""
    async with engine.updates() as updates:
        yield {"updates": None}
        async for batch in updates:
            for at in range(0, max(1, len(batch)), _UPDATES_AN_ITEM):
                yield {"updates": [update_data(update) for update in batch[at : at + _UPDATES_AN_ITEM]]}


async def _mail_thread(engine: Engine, given: Json) -> AsyncIterator[Json]:
    with _understood():
        mail = str(given["mail"])
    for each in await engine.mail_thread(mail):
        yield {"mail": each.data()}


async def _mail_changes(engine: Engine, given: Json) -> AsyncIterator[Json]:
    async for version in engine.mail_changes():
        yield {"version": version}


async def _replies(engine: Engine, given: Json) -> AsyncIterator[Json]:
    async for piece in engine.replies():
        yield {"piece": piece_data(piece)}
