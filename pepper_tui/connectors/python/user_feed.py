"""``subscriber``, ``context_store`` and ``app``: what a user's feed file imports from ``pepper_tui.api``.

They refer to the feed that is being loaded or is running: a decorator registers with the file being loaded, and the
store is that of the feed whose ``run``, handler or event function makes the call. Outside a feed they raise
``OutsideAFeedError``.

A feed can read everything. It can write namespaces that are not reserved; what it writes into ``signals.*`` becomes a
signal by the user's rules, as if it came from outside.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pepper_tui.feeds.chain import MARKS, ChainEndedError, by_pepper, link
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.feeds.raw_record import AUTHORITY, signal_in, text_of
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import (
    NOT_FOR_FEEDS,
    Context,
    ContextFilter,
    ContextUpdate,
    Json,
    MatterKind,
    Namespace,
    Priority,
    Record,
)
from pepper_tui.store import SearchHit
from pepper_tui.store.delivery.subscription import Start
from pepper_tui.store.namespaces import matches
from pepper_tui.text.errors import PepperError

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
EVENT: Final = f"{Namespace.RAW}.event"
"""Data passed to ``app.emit`` is stored in ``raw.event.<name>``."""
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_EVENT_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SIGNALS: Final = f"{Namespace.SIGNALS}."


class OutsideAFeedError(PepperError, RuntimeError):
    """``subscriber``, ``context_store`` or ``app`` was used outside any feed of the user."""


class ReservedNamespaceError(PepperError, ValueError):
    """A feed may not write this namespace."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A function of the file, and the updates it receives. ``name`` is the durable subscription's."""

    name: str
    call: Callable[[ContextUpdate], Awaitable[Any]]
    namespaces: tuple[str, ...]
    tags: frozenset[str] = frozenset()
    start: Start = "now"
    deletions: bool = False


class FeedFile:
    """Everything that one feed file registered while it was loaded."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self.file = name, file
        self.handlers: dict[str, Handler] = {}
        self._open = False

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Let decorators register here while this context is open."""
        token = _file.set(self)
        self._open = True
        try:
            yield
        finally:
            self._open = False
            _file.reset(token)

    def add(self, function: Callable[..., Awaitable[Any]], called: str, handler: Handler) -> None:
        """Register ``handler`` for ``function``, which takes one argument named ``called``."""
        if not self._open:
            raise OutsideAFeedError(
                "decorate functions at the top level of the file: this one came after it was loaded"
            )
        named = getattr(function, "__name__", repr(function))
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"{named} must be an async function: async def {named}({called})")
        try:
            inspect.signature(function).bind(None)
        except TypeError as error:
            raise TypeError(
                f"{named} must take one argument, the {called}; a method is registered bound: "
                "subscriber.on_context_update(…)(thing.method)"
            ) from error
        if handler.name in self.handlers:
            raise ValueError(f"two handlers are called {handler.name.rpartition('.')[2]!r}: give one a name=")
        self.handlers[handler.name] = handler

    def subscription(self, function: object, name: str) -> str:
        """Return the durable subscription's name: the feed's, plus ``name``, by default the function's."""
        target = getattr(function, "__func__", function)
        return f"feeds.{self.name}.{name or getattr(target, '__qualname__', type(function).__qualname__)}"


class FeedStore:
    """The Context Store as one feed sees it."""

    def __init__(self, feed: str, triage: Triage, ctx: FeedContext, matter_kind: MatterKind = "event") -> None:
        self._feed, self._triage, self._ctx, self._matter_kind = feed, triage, ctx, matter_kind
        self._store = ctx.store

    async def get(self, context_id: object, *, namespace: str, version: int | None = None) -> Context | None:
        return await self._store.get(str(context_id), namespace=namespace, version=version)

    async def query(self, wanted: ContextFilter) -> list[Context]:
        return await self._store.query(wanted)

    async def count(self, wanted: ContextFilter) -> int:
        return await self._store.count(wanted)

    async def search(self, text: str, wanted: ContextFilter | None, limit: int) -> list[SearchHit]:
        return await self._store.search(text, wanted, limit)

    async def versions(self, context_id: object, *, namespace: str, limit: int) -> list[ContextUpdate]:
        return await self._store.versions(str(context_id), namespace=namespace, limit=limit)

    async def store(
        self,
        data: Mapping[str, Any] | Record,
        *,
        namespace: str,
        context_id: object = None,
        type: str = "",  # noqa: A002 - the vocabulary's word
        text: str = "",
        tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Context:
        """Store like ``Store.store``, within what this feed may write."""
        check_writable(namespace)
        said = data.data() if isinstance(data, Record) else data
        if not isinstance(said, Mapping):
            raise TypeError(f"data must be a dict, not {said.__class__.__name__}")
        said = dict(said)
        own = said.get("id")
        ident = str(context_id if context_id is not None else own if own not in (None, "") else self._new_id(namespace))
        if not namespace.startswith(_SIGNALS):
            return await self.write(
                said,
                namespace=namespace,
                context_id=ident,
                type=type,
                text=text or text_of(said),
                tags=tags,
                metadata=metadata,
                **more,
            )
        current = await self._store.get(ident, namespace=namespace)
        at = (current.data if current else {}).get("created_at") or self._ctx.clock.now()
        cause = _cause()
        from_raw = cause is not None and cause.namespace.startswith(f"{Namespace.RAW}.")
        raw = cause.context.context_id if cause is not None and from_raw else ""
        signal = signal_in(namespace, said, ident, at, self._feed, raw, self._triage, self._matter_kind)
        if cause is not None and by_pepper(cause):
            signal.priority, signal.reason = Priority.LOG, "Pepper's own doing"
        return await self.write(
            signal.data(),
            namespace=namespace,
            context_id=ident,
            type="signal",
            text=signal.content,
            tags={str(signal.priority), *tags},
            metadata=metadata,
            **more,
        )

    async def write(
        self,
        data: Json,
        *,
        namespace: str,
        context_id: str,
        type: str,  # noqa: A002
        text: str,
        tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Context:
        """Store as one more link of this task's chain. Raises ``ChainEndedError``."""
        own = {k: v for k, v in (metadata or {}).items() if k not in MARKS and k not in AUTHORITY}
        cause, marks = _cause(), {}
        if cause is not None:
            current = await self._store.get(context_id, namespace=namespace)
            if current is not None and _same(current, data, type, text, frozenset(tags), own):
                marks = {k: v for k, v in current.metadata.items() if k in MARKS}  # no change, no link
            else:
                marks = self._link(cause)
        return await self._store.store(
            data,
            namespace=namespace,
            context_id=context_id,
            type=type,
            text=text,
            tags=tags,
            metadata={**own, **marks},
            **more,
        )

    async def delete(self, context_id: object, *, namespace: str) -> bool:
        check_writable(namespace)
        return await self._store.delete(str(context_id), namespace=namespace)

    def _link(self, cause: ContextUpdate) -> Json:
        try:
            return link(cause)
        except ChainEndedError as error:
            work = _work.get()
            if work is not None:
                work.ended = error  # reported even if the file catches it
            raise

    def _new_id(self, namespace: str) -> str:
        return self._ctx.clock.new_id("signal" if namespace.startswith(_SIGNALS) else "ctx")


def _same(current: Context, data: Json, kind: str, text: str, tags: frozenset[str], metadata: Json) -> bool:
    known = {key: value for key, value in current.metadata.items() if key not in MARKS}
    return (current.data, current.type, current.text, current.tags, known) == (data, kind, text, tags, metadata)


def check_writable(namespace: str) -> None:
    """Raise ``ReservedNamespaceError`` if no feed may write ``namespace``, ``ValueError`` if it is malformed."""
    if not isinstance(namespace, str) or not _NAMESPACE.fullmatch(namespace):
        raise ValueError(f"{namespace!r} is not a namespace: words of letters, digits, - and _, with dots between them")
    if namespace in (Namespace.RAW, Namespace.SIGNALS):
        raise ValueError(f"{namespace} needs one more level, its source: {namespace}.slack")
    if matches(NOT_FOR_FEEDS, namespace):
        raise ReservedNamespaceError(
            f"a feed may not write {namespace}, which is Pepper's own; docs/store-and-subscriber.md says what it may"
        )


@dataclass(slots=True)
class Work:
    """What a task of the feed is working on: the feed's store, and the update being handled, if any."""

    store: FeedStore
    cause: ContextUpdate | None = None
    ended: ChainEndedError | None = field(default=None)


@contextmanager
def at_work(store: FeedStore, cause: ContextUpdate | None = None) -> Iterator[Work]:
    """Run the feed's code inside this context."""
    work = Work(store, cause)
    token = _work.set(work)
    try:
        yield work
    finally:
        _work.reset(token)


_file: Final[ContextVar[FeedFile | None]] = ContextVar("pepper_feed_file", default=None)
_work: Final[ContextVar[Work | None]] = ContextVar("pepper_feed_work", default=None)


def _cause() -> ContextUpdate | None:
    work = _work.get()
    return None if work is None else work.cause


# ------------------------------------------------------------------------------------------------- the three names


class UserStore:
    """``context_store``: the Context Store for a user's feed files. Reads everything; writes what is not reserved."""

    async def store(
        self,
        data: Mapping[str, Any] | Record,
        namespace: str,
        context_id: object = None,
        *,
        type: str = "",  # noqa: A002
        text: str = "",
        tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        ttl: float | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float = 7 * 86400,
        expect_version: int | None = None,
    ) -> Context:
        """Store one context and return it.

        ``context_id`` defaults to ``data["id"]``, else to a new id; ``text``, which search finds, to the texts in
        ``data``. Storing the same content again is no new update. In ``signals.*``, ``data`` must be a signal: it has
        ``content``, and may have ``priority``, ``reason``, ``sender``, ``text``, ``matter``, ``source``, ``created_at``
        and ``metadata``. Inside a handler, the write is committed when the handler ends.

        Raises ``ReservedNamespaceError``, ``ValueError`` for data that can't be a signal, ``ChainEndedError`` if it
        would be the ninth link of a chain.
        """
        return await self._bound().store(
            data,
            namespace=namespace,
            context_id=context_id,
            type=type,
            text=text,
            tags=frozenset(tags),
            metadata=metadata,
            ttl=ttl,
            dedupe_key=dedupe_key,
            dedupe_window=dedupe_window,
            expect_version=expect_version,
        )

    async def get(self, context_id: object, *, namespace: str, version: int | None = None) -> Context | None:
        """Return the current version, or the given one; ``None`` if there is none."""
        return await self._bound().get(context_id, namespace=namespace, version=version)

    async def query(self, filter: ContextFilter = ContextFilter()) -> list[Context]:  # noqa: A002, B008
        """Return the contexts that match ``filter``, newest first unless it says otherwise."""
        return await self._bound().query(filter)

    retrieve = query

    async def count(self, filter: ContextFilter = ContextFilter()) -> int:  # noqa: A002, B008
        """Count the contexts that match ``filter``, whatever its limit."""
        return await self._bound().count(filter)

    async def search(
        self,
        text: str,
        filter: ContextFilter | None = None,  # noqa: A002
        limit: int = 10,
    ) -> list[SearchHit]:
        """Return the contexts nearest to ``text``, best first; each hit has ``context`` and ``score``."""
        return await self._bound().search(text, filter, limit)

    async def versions(self, context_id: object, *, namespace: str, limit: int = 100) -> list[ContextUpdate]:
        """Return the stored versions of a context, newest first."""
        return await self._bound().versions(context_id, namespace=namespace, limit=limit)

    async def delete(self, context_id: object, *, namespace: str) -> bool:
        """Delete the current version; return whether there was one."""
        return await self._bound().delete(context_id, namespace=namespace)

    def subscribe(self, **more: Any) -> Callable[[F], F]:
        """Register a handler: the same as ``subscriber.on_context_update``."""
        return subscriber.on_context_update(**more)

    @staticmethod
    def _bound() -> FeedStore:
        work = _work.get()
        if work is None:
            raise OutsideAFeedError(
                "context_store works in a feed file of yours, while Pepper runs it: in its handlers, its event "
                "functions and its run(ctx)"
            )
        return work.store


class UserSubscriber:
    """``subscriber``: registers handlers of a feed file."""

    def on_context_update(
        self,
        *,
        namespaces: Sequence[str],
        tags: Iterable[str] = (),
        name: str = "",
        start: Start = "now",
        deletions: bool = False,
    ) -> Callable[[F], F]:
        """Call the decorated ``async def handler(update)`` with each update in the namespaces (globs) with all tags.

        Each update is delivered at least once, even after a crash, and again after a while if the handler raises; the
        handler's writes are committed when it ends. ``name`` (by default the function's) names the subscription in the
        store: keep it if you rename the function. ``start="beginning"``: include what the store already holds.
        ``deletions``: include deletions, as updates with ``deleted``.
        """
        if isinstance(namespaces, str) or not namespaces:
            raise TypeError('namespaces must be a list, with at least one: namespaces=["raw.email"]')
        if isinstance(tags, str):
            raise TypeError(f"tags must be a list: tags=[{tags!r}]")
        file = _loaded("subscriber.on_context_update")

        def decorate(function: F) -> F:
            name_ = file.subscription(function, name)
            handler = Handler(name_, function, tuple(namespaces), frozenset(tags), start, deletions)
            file.add(function, "update", handler)
            return function

        return decorate


class UserApp:
    """``app``: named events, from where something happens to the functions that wait for it."""

    def on_event(self, event: str, *, name: str = "") -> Callable[[F], F]:
        """Call the decorated ``async def function(data)`` with the data of each such event, like a handler."""
        namespace = _event_namespace(event)
        file = _loaded("app.on_event")

        def decorate(function: F) -> F:
            async def call(update: ContextUpdate) -> None:
                await function(update.context.data)

            file.add(function, "data", Handler(file.subscription(function, name), call, (namespace,)))
            return function

        return decorate

    async def emit(self, event: str, data: Mapping[str, Any]) -> Context:
        """Emit an event to everything that waits for it; it is stored in ``raw.event.<event>`` before this returns.

        Data with the same ``id`` and the same content is one event.
        """
        return await context_store.store(data, namespace=_event_namespace(event), type="event")


def _event_namespace(event: str) -> str:
    if not isinstance(event, str) or not _EVENT_NAME.fullmatch(event):
        raise ValueError(f"{event!r} is not the name of an event: letters, digits, - and _")
    return f"{EVENT}.{event}"


def _loaded(what: str) -> FeedFile:
    file = _file.get()
    if file is None:
        raise OutsideAFeedError(
            f"{what} works at the top level of a feed file of yours, while Pepper loads it: name the file in [[feed]]"
        )
    return file


context_store: Final = UserStore()
subscriber: Final = UserSubscriber()
app: Final = UserApp()
