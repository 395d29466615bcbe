"""Calls to Google, as the loop makes them: each in a thread, on a connection of its own, and never too many at once.

Reads are tried again, with growing waits, where another try may go through; writes never are. Whatever goes wrong comes
as a ``GoogleError`` of ``trouble``. Google's libraries are imported in a thread, at the first call.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pepper_tui.clock import Clock, done_before, in_thread
from pepper_tui.connectors.google_account.errors import LostError, TooFastError
from pepper_tui.connectors.google_account.pace import Pace
from pepper_tui.connectors.google_account.service import Service

if TYPE_CHECKING:
    from google.oauth2.credentials import Credentials


T = TypeVar("T")
AT_ONCE: Final = 4
TRIES: Final = 4
PARTS: Final = 50
"""Reads in one batch: Google takes a hundred, and advises against more than fifty."""
SECONDS: Final = 30.0
"""How long one read or write on a connection may take."""
LONGEST: Final = 120.0
"""How long a call may take in all."""
LONGEST_REST: Final = 64.0


@dataclass(frozen=True, slots=True)
class Ask:
    """A command, such as ``messages.get``, with its parameters. ``match``: only on what has this etag."""

    command: str
    given: Mapping[str, Any]
    match: str = ""


class Transport:
    """``credentials`` gives the account's credentials as they are now; it is asked in a thread, at the first call.

    ``endpoint`` is the server of ``service``, Google's or one in its place.
    """

    def __init__(
        self,
        service: Service,
        credentials: Callable[[], Credentials],
        clock: Clock,
        endpoint: str,
        seconds: float = SECONDS,
    ) -> None:
        self._of, self._credentials_now, self._clock = service, credentials, clock
        self._endpoint, self._seconds = endpoint.rstrip("/"), seconds
        self._pace = Pace(clock, service.units)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._preparing = threading.Lock()
        self._service: Any = None
        self._resources: dict[tuple[str, ...], Any] = {}
        self._credentials: Any = None
        self._place = self._endpoint
        self._reads: frozenset[str] = frozenset()

    async def call(self, command: str, *, urgent: bool = False, match: str = "", **given: Any) -> Any:
        """Return the answer to one command. ``urgent``: the user waits. Raises ``GoogleError``."""
        ask = Ask(command, given, match)
        await self._threaded(self._prepared, command)
        reads = command in self._reads
        for tried in range(TRIES if reads else 1):
            await self._pace.take(self._of.prices[command], urgent=urgent)
            try:
                return await self._threaded(partial(self._do, ask, reads), command, reads)
            except Exception as error:
                if not await self._once_more(error, tried, TRIES if reads else 1):
                    raise
        raise AssertionError  # the last try returns or raises

    async def together(self, asks: Sequence[Ask], *, urgent: bool = False) -> list[Any]:
        """Return the answers to many reads, in order, with a ``GoogleError`` for each without one.

        Raises one if a whole batch has no answer."""
        await self._threaded(self._prepared, "a batch")
        wrong = [ask.command for ask in asks if ask.command not in self._reads]
        assert not wrong, f"no reads, so not in a batch: {wrong}"
        answers: list[Any] = []
        for start in range(0, len(asks), PARTS):
            answers += await self._batch(asks[start : start + PARTS], urgent)
        return answers

    def renew(self) -> None:
        """Ask for the credentials again at the next call: the user has signed in anew."""
        with self._preparing:
            self._service = None

    async def _batch(self, asks: Sequence[Ask], urgent: bool) -> list[Any]:
        answers: dict[int, Any] = {}
        for tried in range(TRIES):
            open_ones = [number for number in range(len(asks)) if _is_passing(answers.get(number))]
            await self._pace.take(sum(self._of.prices[asks[number].command] for number in open_ones), urgent=urgent)
            todo = {number: asks[number] for number in open_ones}
            try:
                answers |= await self._threaded(partial(self._do_batch, todo), "a batch")
            except Exception as error:
                if not await self._once_more(error, tried, TRIES):
                    raise
                continue
            passing = [answer for answer in answers.values() if _is_passing(answer)]
            if not passing or not await self._once_more(max(passing, key=_rest), tried, TRIES):
                break
        return [answers[number] for number in range(len(asks))]

    async def _once_more(self, error: Exception, tried: int, most: int) -> bool:
        """Whether another try makes sense; the wait before it is over then."""
        if not _is_passing(error):
            return False
        wait = min(max(_rest(error), 2.0**tried) + self._clock.jitter(), LONGEST_REST)
        if isinstance(error, TooFastError):
            self._pace.rest(wait)
        if tried + 1 >= most:
            return False
        await self._clock.sleep(wait)
        return True

    async def _threaded(self, function: Callable[[], T], command: str, reads: bool = True) -> T:
        """Run the blocking ``function`` in a thread and return its result.

        If the caller is cancelled, the thread runs to its end, and its place stays taken until then."""
        await self._room.acquire()
        work = in_thread(function)
        work.add_done_callback(self._over)
        if not await done_before(work, self._clock.sleep(LONGEST)):
            from pepper_tui.connectors.google_account.trouble import overdue

            raise overdue(command, reads=reads)
        return work.result()

    def _over(self, work: asyncio.Future[Any]) -> None:
        self._room.release()
        if not work.cancelled():
            work.exception()  # nobody may wait for it any more

    # in a thread

    def _prepared(self) -> None:
        """Import, and read what the service takes, once. In that every address is below the endpoint, those of batches
        and uploads too, which ``client_options`` would leave at Google's own."""
        with self._preparing:
            if self._service is not None:
                return
            import json

            from googleapiclient.discovery import build_from_document
            from googleapiclient.discovery_cache import get_static_doc

            api, version = self._of.api, self._of.version
            document = json.loads(get_static_doc(api, version))
            root = f"{self._endpoint}/"
            place = root + document["servicePath"]
            document |= {"rootUrl": root, "baseUrl": place, "batchPath": f"batch/{api}/{version}"}
            self._place = place.rstrip("/")
            self._credentials = self._credentials_now()
            reads = (each for each in self._of.prices if self._method(document, each)["httpMethod"] == "GET")
            self._reads = frozenset(reads)
            self._resources.clear()
            self._service = build_from_document(document, http=self._wire())

    def _wire(self) -> Any:
        from pepper_tui.connectors.google_account.wire import Wire

        return Wire([self._place, *([self._credentials.token_uri] if self._credentials else [])], self._seconds)

    def _signed(self) -> Any:
        from google_auth_httplib2 import AuthorizedHttp

        return AuthorizedHttp(self._credentials, http=self._wire())

    def _do(self, ask: Ask, reads: bool) -> Any:
        from pepper_tui.connectors.google_account.trouble import trouble

        try:
            return self._request(ask).execute(http=self._signed(), num_retries=0)
        except Exception as error:
            raise trouble(error, ask.command, reads=reads) from error

    def _do_batch(self, asks: Mapping[int, Ask]) -> dict[int, Any]:
        from pepper_tui.connectors.google_account.trouble import trouble

        answers: dict[int, Any] = {}

        def told(name: str, answer: Any, error: Exception | None) -> None:
            number = int(name)
            answers[number] = trouble(error, asks[number].command, reads=True) if error else answer

        batch = self._service.new_batch_http_request(callback=told)
        try:
            for number, ask in asks.items():
                batch.add(self._request(ask), request_id=str(number))
            batch.execute(http=self._signed())
        except Exception as error:
            raise trouble(error, "a batch", reads=True) from error
        return answers

    def _request(self, ask: Ask) -> Any:
        *path, name = ask.command.split(".")
        request = getattr(self._resource(tuple(path)), name)(**self._of.given, **ask.given)
        if ask.match:
            request.headers["If-Match"] = ask.match
        return request

    def _resource(self, path: tuple[str, ...]) -> Any:
        """Return what has the commands below ``path``. The library takes milliseconds to make one."""
        found = self._resources.get(path)
        if found is None:
            found = self._service
            for step in (*self._of.below, *path):
                found = getattr(found, step)()
            self._resources[path] = found
        return found

    def _method(self, document: Mapping[str, Any], command: str) -> Mapping[str, Any]:
        *path, name = command.split(".")
        node = document
        for step in (*self._of.below, *path):
            node = node["resources"][step]
        found: Mapping[str, Any] = node["methods"][name]
        return found


def _rest(error: object) -> float:
    """How long Google said to wait."""
    return float(getattr(error, "seconds", 0.0))


def _is_passing(answer: Any) -> bool:
    """Whether there is no answer yet, or an error that may not come again."""
    return answer is None or isinstance(answer, LostError | TooFastError)
