"""Queries to a running engine, or to one opened for them: `ask`, `answer`, `log`, `status`, and about its store.

Each is a function of an engine (or its store) and arguments that yields items (plain JSON). Text in items is raw; the
caller cleans it before showing it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from pepper_tui.engine.answers.question import Question, asked_words
from pepper_tui.engine.answers.socket import Answer, RemoteError
from pepper_tui.engine.protocol import SHOWN, Engine
from pepper_tui.model import (
    OPEN_TAG,
    QUESTION,
    Approval,
    ApprovalState,
    CallState,
    Context,
    ContextFilter,
    ContextUpdate,
    Effect,
    EngineError,
    Health,
    Json,
    Namespace,
    Notification,
    Origin,
    ToolCall,
    whole,
)
from pepper_tui.store import ContextStore, StoreError
from pepper_tui.tools.effects import proposals

_MISSED = 100_000


class Looked(Protocol):
    """What can be read of a home, whether its engine runs or not."""

    @property
    def model_name(self) -> str: ...
    @property
    def offline(self) -> bool: ...

    async def recall(self, filter: ContextFilter) -> list[Context]: ...  # noqa: A002
    async def health(self) -> list[Context]: ...
    async def why(self, ref: str) -> list[str]: ...
    async def dead_letters(self) -> list[str]: ...


def answers(engine: Engine) -> Mapping[str, Answer]:
    """Return the verbs that a running engine's socket serves."""
    return {
        "ask": partial(ask, engine),
        "answer": partial(answer, engine),
        "log": partial(followed, engine),
        "status": partial(status, engine),
    }


def answers_at_rest(home: Looked) -> Mapping[str, Answer]:
    """Return the verbs that work on a home whose engine does not run."""
    return {"log": partial(log, home), "status": partial(status, home)}


def store_answers(store: ContextStore) -> Mapping[str, Answer]:
    """Return the verbs on a store, whether an engine uses it or not."""
    return {
        "stats": partial(stats, store),
        "dead": partial(dead, store),
        "history": partial(history, store),
        "rollback": partial(rollback, store),
    }


async def ask(engine: Engine, arguments: Json) -> AsyncIterator[Json]:
    """Say ``text``; yield each reply as ``{"reply": …}``, and last what is left to the user.

    The last item is ``{"approvals": [summaries], "questions": [words], "trouble": bool, "unmet": bool}``: the cards and
    Pepper's questions that were raised, whether the last reply only says that the model was unavailable, and whether
    it was not done, as it was not understood or failed.

    ``piped``: the text comes from standard input, otherwise it is an argument. ``key``: repeating a request with the
    same key, even to another engine, is the same question and yields the same replies. The last reply is one after
    which no call begun by the question is in progress; a call that waits for the user does not delay it. Raises
    ``RemoteError`` if this has not ended after ``timeout`` seconds.
    """
    text, timeout = str(arguments["text"]), float(arguments.get("timeout", 300))
    origin = Origin.PIPED if arguments.get("piped") else Origin.ARGUMENT  # nothing here proves that it was typed
    try:
        async with asyncio.timeout(timeout), engine.updates() as updates:
            try:
                said = await engine.say(
                    text, spans=whole(text, origin), alone=True, key=str(arguments.get("key") or "")
                )
            except EngineError as error:
                raise RemoteError(str(error)) from error
            question = Question(said)
            [message] = await engine.recall(ContextFilter(namespaces=[Namespace.USER_MESSAGE], context_ids=[said]))
            async for item in _replies(engine, question, message.created_at, updates):
                yield item
    except TimeoutError as error:
        raise RemoteError(f"no reply within {timeout:.0f} seconds; `pepper log` shows what happened") from error


async def answer(engine: Engine, arguments: Json) -> AsyncIterator[Json]:
    """Answer one of Pepper's questions: ``text`` is the number of a choice, or the user's own words.

    ``question`` is its id, required if several are open. Yields ``{"words": …}``, then what came of it, as in ``ask``;
    without a text, each open question as ``{"question": words, "id": …}``. Raises ``RemoteError``, also after
    ``timeout`` seconds; the answer is kept then.
    """
    text, wanted = str(arguments.get("text") or "").strip(), str(arguments.get("question") or "")
    found = await engine.recall(ContextFilter(namespaces=[Namespace.NOTIFICATION], tags=[OPEN_TAG], limit=500))
    asked = [notice for notice in Notification.readable(found) if notice.kind == QUESTION]
    named = [question for question in asked if wanted in ("", question.id)]
    if not text:
        for question in named:
            yield {"question": asked_words(question), "id": question.id}
        return
    if len(named) != 1:
        several = "; ".join(f"{each.id}: {each.title}" for each in named[:5])
        raise RemoteError(f"say which one: {several}" if named else "Pepper asks nothing that this would answer")
    [question] = named
    origin, timeout = Origin.PIPED if arguments.get("piped") else Origin.ARGUMENT, float(arguments.get("timeout", 300))
    ref, number = f"{Namespace.NOTIFICATION}:{question.id}", int(text) if text.isdecimal() else 0
    began = question.source.partition(":")[2]
    call = ToolCall.one(next(iter(await engine.recall(_only(Namespace.TOOL_CALL, began))), None))
    try:
        async with asyncio.timeout(timeout), engine.updates() as updates:
            try:
                if 1 <= number <= len(question.choices):
                    yield {"words": await engine.choose(ref, number)}
                else:
                    yield {"words": await engine.answer(ref, text, spans=whole(text, origin))}
            except EngineError as error:
                raise RemoteError(str(error)) from error
            if question.awaited and call is not None and call.origin.startswith("step:"):
                follows = Question(began, Namespace.TOOL_RESULT)
                async for item in _replies(engine, follows, question.created_at, updates):
                    yield item
    except TimeoutError as error:
        raise RemoteError(f"answered, but nothing more came within {timeout:.0f} seconds") from error


def _only(namespace: str, ident: str) -> ContextFilter:
    return ContextFilter(namespaces=[namespace], context_ids=[ident], include_expired=True)


async def _replies(
    engine: Engine, question: Question, since: float, updates: AsyncIterator[list[ContextUpdate]]
) -> AsyncIterator[Json]:
    """Yield each reply to ``question``, then what it left to the user."""
    async for contexts in _committed_since(engine, since, updates):
        for reply in question.take(contexts):
            yield {"reply": reply}
        if question.over:
            break
    left: Json = {"approvals": list(question.cards.values()), "questions": list(question.asked.values())}
    yield left | {"trouble": question.trouble, "unmet": question.unmet}


async def _committed_since(
    engine: Engine, since: float, updates: AsyncIterator[list[ContextUpdate]]
) -> AsyncIterator[list[Context]]:
    """Yield what was committed since then, in its current state; then each new batch.

    If updates were missed, everything is yielded again.
    """
    wanted = ContextFilter(namespaces=(*SHOWN, Namespace.STEP), since=since, newest_first=False, limit=_MISSED)
    yield [*await engine.recall(wanted)]
    async for batch in updates:
        yield [update.context for update in batch] or [*await engine.recall(wanted)]


async def log(engine: Looked, arguments: Json) -> AsyncIterator[Json]:
    """Yield the newest ``n`` updates, oldest first.

    ``silence``: yield what was held back instead. ``effects``: yield each proposed outside effect instead, with the
    user's decision and the outcome.
    """
    if arguments.get("silence"):
        for line in await engine.why("silence"):
            yield {"words": line}
        return
    if arguments.get("effects"):
        async for item in _effects(engine, int(arguments.get("n", 20))):
            yield item
        return
    for context in await _newest(engine, int(arguments.get("n", 20))):
        yield entry(context)


async def followed(engine: Engine, arguments: Json) -> AsyncIterator[Json]:
    """Yield ``log``; with ``follow`` also the updates to come."""
    if not arguments.get("follow"):
        async for item in log(engine, arguments):
            yield item
        return
    count = int(arguments.get("n", 20))
    async with engine.updates() as updates:
        last = 0
        for context in await _newest(engine, count):
            last = max(last, context.seq)
            yield entry(context)
        async for batch in updates:
            for update in batch:
                if update.seq > last and update.context.namespace != Namespace.STEP:
                    yield entry(update.context)


async def _effects(engine: Looked, count: int) -> AsyncIterator[Json]:
    for each in reversed(await proposals(engine.recall, count)):
        approval = each.approval
        yield {
            "effect": approval.resolved.summary,
            "account": approval.resolved.account,
            "digest": approval.digest,
            "proposed_at": approval.created_at,
            "decision": approval.state,
            "by_user": each.by_user,
            "decided_by": approval.decided_by,
            "decided_at": approval.decided_at,
            "note": approval.decision_note,
            "problem": approval.problem,
            "outcome": each.outcome,
            "ended_at": each.ended_at,
            "error": each.error,
        }


async def _newest(engine: Looked, count: int) -> list[Context]:
    return list(reversed(await engine.recall(ContextFilter(namespaces=SHOWN, limit=max(1, count)))))


def entry(context: Context) -> Json:
    """Return one context as a line of the log."""
    data = context.data
    words = context.text or next(
        (str(data[key]) for key in ("content", "text", "title", "name", "task", "detail", "model") if data.get(key)), ""
    )
    state = str(data.get("state") or data.get("priority") or "")
    return {
        "at": context.updated_at,
        "namespace": context.namespace,
        "id": context.context_id,
        "state": state,
        "words": words,
    }


async def status(engine: Looked, arguments: Json) -> AsyncIterator[Json]:
    """Yield one item: the model, what waits for the user, approved calls, running calls, dead letters, and health.

    The approved calls are those that have not begun yet; the health is that of each part. If anything but the model and
    the health can't be read, ``unread`` says why.
    """
    try:
        facts = await _facts(engine)
    except StoreError as error:
        facts = {**_NO_FACTS, "unread": str(error)}
    parts = [Health.of(context) for context in await engine.health()]
    yield {
        "model": "offline, by rules" if engine.offline else engine.model_name,
        **facts,
        "health": [{"part": h.part, "state": h.state, "detail": h.detail, "remedy": h.remedy} for h in parts],
    }


_NO_FACTS: Json = {
    "approvals": [],
    "approved": [],
    "notifications": [],
    "unknown": [],
    "running": [],
    "dead_letters": 0,
    "unread": "",
}


async def _facts(engine: Looked) -> Json:
    cards = [
        Approval.of(c)
        for c in await engine.recall(ContextFilter(namespaces=[Namespace.APPROVAL], tags=[OPEN_TAG], limit=500))
    ]
    notices = [
        Notification.of(c)
        for c in await engine.recall(ContextFilter(namespaces=[Namespace.NOTIFICATION], tags=[OPEN_TAG], limit=500))
    ]
    calls = [
        ToolCall.of(c)
        for c in await engine.recall(ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=500))
    ]
    return {
        **_NO_FACTS,
        "approvals": [card.resolved.summary for card in cards if card.state is ApprovalState.PENDING],
        "approved": [call.summary for call in await approved(engine)],
        "notifications": [notice.title for notice in notices],
        "unknown": [_called(call) for call in calls if call.state is CallState.UNKNOWN],
        "running": [_called(call) for call in calls if call.state in {CallState.SCHEDULED, CallState.ATTEMPTED}],
        "dead_letters": len(await engine.dead_letters()),
    }


async def approved(engine: Looked) -> list[ToolCall]:
    """Return the calls that are approved but have not begun."""
    found = await engine.recall(ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=500))
    waiting = {call.approval: call for call in map(ToolCall.of, found) if call.state is CallState.WAITING_APPROVAL}
    if not waiting:
        return []
    cards = await engine.recall(ContextFilter(namespaces=[Namespace.APPROVAL], context_ids=[*waiting], limit=500))
    return [waiting[card.id] for card in map(Approval.of, cards) if card.state is ApprovalState.APPROVED]


def approved_words(calls: Sequence[ToolCall], seconds: float) -> str:
    """Say what becomes of approved calls that an engine leaves behind when it stops; empty for none."""
    if not calls:
        return ""
    one = len(calls) == 1
    mail = all(call.effect is Effect.SEND for call in calls)
    noun = f"{'mail' if mail else 'act'}{'' if one else 's'}"
    goes = ("goes out" if one else "go out") if mail else ("is done" if one else "are done")
    then = f"{'it' if one else 'they'} {goes} {seconds:g} s after the next start"
    return f"{len(calls)} approved {noun} {'is' if one else 'are'} not {'sent' if mail else 'done'} yet: {then}"


def _called(call: ToolCall) -> str:
    """Return the summary of the call, and what it waits for."""
    return f"{call.summary or call.name}; {call.deferred}" if call.deferred else call.summary or call.name


async def stats(store: ContextStore, arguments: Json) -> AsyncIterator[Json]:
    """Yield one item: the counts of ``StoreStats``."""
    yield dataclasses.asdict(await store.stats())


async def dead(store: ContextStore, arguments: Json) -> AsyncIterator[Json]:
    """Yield each dead letter; with ``redrive`` deliver them again, and count them in the last item."""
    letters = await store.dead()
    for letter in letters:
        yield {"letter": {k: str(v) for k, v in dataclasses.asdict(letter).items() if k not in {"update", "context"}}}
    if letters and arguments.get("redrive"):
        yield {"redriven": await store.redrive()}


async def history(store: ContextStore, arguments: Json) -> AsyncIterator[Json]:
    """Yield the kept versions of the context ``ref`` (``namespace:id``, or a unique id), newest first."""
    namespace, ident = await _named(store, str(arguments["ref"]))
    for update in await store.versions(ident, namespace=namespace, limit=int(arguments.get("n", 20))):
        context = update.context
        words = context.text or json.dumps(context.data, ensure_ascii=False)
        yield {"version": context.version, "at": context.updated_at, "deleted": update.deleted, "words": words[:1000]}


async def rollback(store: ContextStore, arguments: Json) -> AsyncIterator[Json]:
    """Make ``version`` of the context ``ref`` the newest one; yield one item with the result."""
    namespace, ident = await _named(store, str(arguments["ref"]))
    [newest] = await store.versions(ident, namespace=namespace, limit=1)
    try:
        stored = await store.rollback(ident, int(arguments["version"]), namespace=namespace)
    except StoreError as error:
        raise RemoteError(str(error)) from error
    before = 0 if newest.deleted else newest.context.version
    yield {"name": f"{namespace}:{ident}", "version": stored.version, "before": before}


async def _named(store: ContextStore, ref: str) -> tuple[str, str]:
    """Return namespace and id of the one context that ``ref`` names. Raises ``RemoteError``."""
    found = await store.named(ref)
    if not found:
        raise RemoteError(f"there is no context {ref[:100]!r}")
    if len(found) > 1:
        several = ", ".join(f"{namespace}:{ident}" for namespace, ident in found[:5])
        raise RemoteError(f"several contexts are called so: {several}")
    return found[0]
