"""Client for the engine of another process, over the socket of its home: the whole protocol, for a separate front.

Each call is its own connection; updates and replies use one each for as long as they are read. Queries need only the
socket; acts also need the token in the home (``answers/token.py``). Refusals, and an engine that is gone, raise
``EngineError``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pepper_tui.domains.calendar.days.records import DaysPage
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.mail.listing.records import MailHead, MailPage, ThreadMail
from pepper_tui.engine.answers.socket import EngineClosedError, RemoteError, request
from pepper_tui.engine.answers.token import read_token
from pepper_tui.engine.protocol import CLOSED, ChoiceError, EngineError, UnknownAnswer
from pepper_tui.engine.wire import (
    PREFIX,
    VERSION,
    context_of,
    filter_data,
    piece_of,
    spans_data,
    update_of,
    written_data,
    written_of,
)
from pepper_tui.model import (
    Context,
    ContextFilter,
    ContextUpdate,
    Json,
    ReplyDelta,
    RuleAct,
    RuleReport,
    Span,
    Written,
)


class Wire:
    """The connection to the engine of ``home``, from ``start`` to ``close``."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._token = ""
        self._greeting: Json = {}
        self._ended = asyncio.Event()

    async def start(self) -> None:
        """Greet the engine and read the token. Raises ``EngineError``, also for an engine of another version."""
        [self._greeting] = [item async for item in self._asked("greet", {})]
        try:
            self._token = await asyncio.to_thread(read_token, self._home)
        except OSError as error:
            raise EngineError(f"{error.filename}: {error.strerror or error}; start the engine again") from error

    async def close(self) -> None:
        """End this client. The engine keeps running."""
        self._ended.set()

    async def _look(self, method: str, **given: Any) -> Any:
        [item] = [item async for item in self._asked(method, given)]
        return item["value"]

    async def _act(self, method: str, **given: Any) -> str:
        [item] = [item async for item in self._asked(method, given, self._token)]
        return str(item["value"])

    async def _contexts(self, method: str, **given: Any) -> list[Context]:
        return [context_of(item["context"]) async for item in self._asked(method, given)]

    async def _asked(self, method: str, given: Json, token: str = "") -> AsyncGenerator[Json, None]:
        """Yield what the engine answers. Raises ``EngineError``."""
        if self._ended.is_set():
            raise EngineError(CLOSED)
        arguments = {"version": VERSION, "given": given, **({"token": token} if token else {})}
        with _in_words():
            async with aclosing(request(self._home, f"{PREFIX}{method}", arguments)) as items:
                async for item in items:
                    if "refused" in item:
                        raise _refusal(item)
                    yield item

    async def _streamed(self, method: str) -> AsyncGenerator[Json, None]:
        """Yield what the engine sends, until either side is closed."""
        ended = asyncio.ensure_future(self._ended.wait())
        async with aclosing(self._asked(method, {})) as items:
            try:
                while True:
                    following = asyncio.ensure_future(anext(items))
                    try:
                        await asyncio.wait({following, ended}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        if not following.done():
                            following.cancel()
                            await asyncio.wait({following})
                    if following.cancelled():
                        return
                    yield following.result()
            except (StopAsyncIteration, EngineGoneError):
                return
            finally:
                ended.cancel()


class EngineGoneError(EngineError):
    """The engine closed, or died, while a stream was open."""


class RemoteView(Wire):
    """Queries for what is shown."""

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self._greeting["zone"]) if self._greeting else UTC

    @property
    def model_name(self) -> str:
        return str(self._greeting.get("model_name", ""))

    @property
    def offline(self) -> bool:
        return bool(self._greeting.get("offline"))

    async def recall(self, filter: ContextFilter) -> list[Context]:  # noqa: A002
        return await self._contexts("recall", filter=filter_data(filter))

    async def health(self) -> list[Context]:
        return await self._contexts("health")

    async def held_back(self, since: float) -> tuple[int, int]:
        count, seq = await self._look("held_back", since=since)
        return count, seq

    @asynccontextmanager
    async def updates(self) -> AsyncIterator[AsyncIterator[list[ContextUpdate]]]:
        async with aclosing(self._streamed("updates")) as items:
            if await anext(items, None) is None:
                raise EngineError(CLOSED)

            async def batches() -> AsyncIterator[list[ContextUpdate]]:
                async for item in items:
                    yield [update_of(update) for update in item["updates"]]

            yield batches()

    async def replies(self) -> AsyncIterator[ReplyDelta]:
        async with aclosing(self._streamed("replies")) as items:
            async for item in items:
                yield piece_of(item["piece"])

    async def why(self, ref: str) -> list[str]:
        return list(await self._look("why", ref=ref))

    async def dead_letters(self) -> list[str]:
        return list(await self._look("dead_letters"))


class RemoteMail(Wire):
    """All mail, and acts on it."""

    async def mails(
        self, query: str = "", *, first: int = 0, limit: int = 100, newest: bool = False, around: str = ""
    ) -> MailPage:
        given = {"query": query, "first": first, "limit": limit, "newest": newest, "around": around}
        return MailPage.of(await self._look("mails", **given))

    async def mail_thread(self, mail: str) -> list[ThreadMail]:
        return [ThreadMail.of(item["mail"]) async for item in self._asked("mail_thread", {"mail": mail})]

    async def mail_head(self, kind: str, mail: str = "") -> MailHead:
        return MailHead.of(await self._look("mail_head", kind=kind, mail=mail))

    async def attachment(self, mail: str, number: int) -> tuple[str, bytes]:
        name, data = await self._look("attachment", mail=mail, number=number)
        return str(name), base64.b64decode(data)

    async def attachment_text(self, mail: str, number: int, first: int = 1) -> FileText:
        return FileText.of(await self._look("attachment_text", mail=mail, number=number, first=first))

    async def mail_changes(self) -> AsyncIterator[int]:
        async with aclosing(self._streamed("mail_changes")) as items:
            async for item in items:
                yield int(item["version"])

    async def write_mail(self, kind: str, mail: str, fields: Mapping[str, Written]) -> str:
        return await self._act(
            "write_mail", kind=kind, mail=mail, fields={n: written_data(w) for n, w in fields.items()}
        )

    async def save_draft(self, approval_id: str) -> str:
        return await self._act("save_draft", approval_id=approval_id)


class RemoteAgenda(Wire):
    """The user's days, and acts on what is on them."""

    async def days(self, first: str = "today", count: int = 1) -> DaysPage:
        return DaysPage.of(await self._look("days", first=first, count=count))

    async def order_event(self, act: str, ref: str, day: str, said: Written) -> str:
        return await self._act("order_event", act=act, ref=ref, day=day, said=written_data(said))


class RemoteConversation(Wire):
    """What the user says, and takes back."""

    async def say(
        self,
        text: str,
        *,
        spans: Sequence[Span] | None = None,
        after_calls: bool = False,
        alone: bool = False,
        key: str = "",
    ) -> str:
        noted = spans_data(spans)
        return await self._act("say", text=text, spans=noted, after_calls=after_calls, alone=alone, key=key)

    async def take_back(self) -> Written | None:
        [item] = [item async for item in self._asked("take_back", {}, self._token)]
        return written_of(item["value"])

    async def stop_reply(self) -> None:
        await self._act("stop_reply")


class RemoteInbox(Wire):
    """Acts on inbox items."""

    async def approve(self, approval_id: str) -> str:
        return await self._act("approve", approval_id=approval_id)

    async def reject(self, approval_id: str, note: str = "") -> str:
        return await self._act("reject", approval_id=approval_id, note=note)

    async def edit(self, approval_id: str, fields: dict[str, str], typed: Collection[str] = ()) -> str:
        return await self._act("edit", approval_id=approval_id, fields=fields, typed=[*typed])

    async def dismiss(self, ref: str, *more: str) -> str:
        return await self._act("dismiss", refs=[ref, *more])

    async def done(self, ref: str, *more: str) -> str:
        return await self._act("done", refs=[ref, *more])

    async def file(self, refs: Sequence[str], act: str, folder: str = "") -> str:
        return await self._act("file", refs=[*refs], act=act, folder=folder)

    async def seen(self, ref: str) -> None:
        await self._act("seen", ref=ref)

    async def attend(self, at_inbox: bool) -> None:
        await self._act("attend", at_inbox=at_inbox)

    async def snooze(self, ref: str, when: str, *more: str) -> str:
        return await self._act("snooze", refs=[ref, *more], when=when)

    async def choose(self, ref: str, number: int) -> str:
        return await self._act("choose", ref=ref, number=number)

    async def answer(self, ref: str, text: str, *, spans: Sequence[Span] | None = None) -> str:
        return await self._act("answer", ref=ref, text=text, spans=spans_data(spans))


class RemoteCalls(Wire):
    """Acts on calls and deliveries; undo and redo."""

    async def answer_unknown(self, call_id: str, answer: UnknownAnswer) -> str:
        return await self._act("answer_unknown", call_id=call_id, answer=answer)

    async def cancel_call(self, call_id: str) -> str:
        return await self._act("cancel_call", call_id=call_id)

    async def undo(self) -> str:
        return await self._act("undo")

    async def redo(self) -> str:
        return await self._act("redo")

    async def redrive(self) -> str:
        return await self._act("redrive")


class RemoteRules(Wire):
    """The user's rules, and acts on them."""

    async def rules(self) -> list[RuleReport]:
        return [RuleReport.of(report) for report in await self._look("rules")]

    async def rule_acts(self, rule_id: str, limit: int = 50) -> list[RuleAct]:
        return [RuleAct.of(act) for act in await self._look("rule_acts", rule_id=rule_id, limit=limit)]

    async def rule_versions(self, rule_id: str) -> list[tuple[str, str]]:
        return [(version, said) for version, said in await self._look("rule_versions", rule_id=rule_id)]

    async def pause_rule(self, rule_id: str) -> str:
        return await self._act("pause_rule", rule_id=rule_id)

    async def resume_rule(self, rule_id: str) -> str:
        return await self._act("resume_rule", rule_id=rule_id)

    async def remove_rule(self, rule_id: str) -> str:
        return await self._act("remove_rule", rule_id=rule_id)

    async def propose_rule(self, ref: str) -> str:
        return await self._act("propose_rule", ref=ref)


class RemoteEngine(RemoteView, RemoteMail, RemoteAgenda, RemoteConversation, RemoteInbox, RemoteCalls, RemoteRules):
    """The running engine of a home, seen from another process."""


def _refusal(item: Json) -> EngineError:
    words, choices = str(item["refused"]), item["choices"]
    return EngineError(words) if choices is None else ChoiceError(words, [(said, value) for said, value in choices])


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """Convert the socket's errors to ``EngineError``."""
    try:
        yield
    except EngineClosedError as error:
        raise EngineGoneError(str(error)) from error
    except RemoteError as error:
        raise EngineError(str(error)) from error
