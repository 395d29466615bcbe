"""The commit of a step: acknowledgements, history, what was said, and the tool calls, in one unit of work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pepper_tui.model import (
    OPEN_TAG,
    WAITS_ITS_TURN,
    AssistantMessage,
    Effect,
    Entry,
    Namespace,
    Notification,
    Priority,
    ReplyDelta,
    RequestedCall,
    Step,
    ToolCall,
    UserMessage,
)
from pepper_tui.scheduler.batch import Batch
from pepper_tui.scheduler.deferred import LATE_NAMESPACE, Deferred
from pepper_tui.scheduler.parts import Parts
from pepper_tui.scheduler.prompt.acts import UserActs
from pepper_tui.scheduler.prompt.history import History, HistoryEntry
from pepper_tui.scheduler.prompt.limits import Limits
from pepper_tui.scheduler.prompt.prompts import NEW, WAIT, WAITED, assistant_entry, call_entry, note_entry
from pepper_tui.scheduler.prompt.turn import Turns
from pepper_tui.scheduler.under_way import UnderWay


class Commit:
    """Commits steps. ``on_settled`` is called for each committed batch."""

    def __init__(
        self,
        parts: Parts,
        limits: Limits,
        history: History,
        acts: UserActs,
        turns: Turns,
        deferred: Deferred,
        on_settled: Callable[[Batch], None],
    ) -> None:
        self._parts, self._limits, self._history, self._acts = parts, limits, history, acts
        self._turns, self._deferred, self._on_settled = turns, deferred, on_settled

    async def trouble(self, under_way: UnderWay, words: str) -> None:
        """End a step without an answer: its input stays in the history, and the user is told in words."""
        batch, step, reply, store = under_way.batch, under_way.step, under_way.reply, self._parts.store
        step.outcome = "trouble"
        async with self._parts.begin() as unit:
            for delivery in batch.deliveries:
                unit.ack(delivery)
            entries = _entries(under_way, [note_entry(f"this step failed: {words}")])
            await self._history.save(entries, step.id)
            if batch.speaks:
                step.message = reply.message_id
                message = AssistantMessage(reply.message_id, words, self._parts.clock.now(), step.id, kind="trouble")
                await store.put(message, namespace=Namespace.ASSISTANT_MESSAGE, text=words)
            else:
                await self._notify(step, words)
            await store.put(step, namespace=Namespace.STEP)
        self._done(under_way, entries, told=True)

    async def answer(
        self,
        under_way: UnderWay,
        text: str,
        requested: Sequence[RequestedCall] = (),
        effects: Mapping[str, Effect] | None = None,
        not_judged: Sequence[int] = (),
        *,
        unfinished: bool = False,
        unmet: bool = False,
    ) -> None:
        """End a step with the model's text and the calls that it requests; ``effects`` of the tools, by name."""
        batch, step, store = under_way.batch, under_way.step, self._parts.store
        now = self._parts.clock.now()
        calls = self._calls(under_way, text, requested, effects or {})
        said = []
        if text.strip() or unfinished:
            said.append(assistant_entry(text, spoken=batch.speaks, unfinished=unfinished))
        entries = _entries(under_way, said or ([] if calls else [WAITED]))
        entries += self._call_entries(step, calls, behind=len(entries))
        step.calls = [call.id for call in calls]
        self._parts.checkpoint("step_before_commit")
        left_alone = [ref for ref in map(batch.inputs.__getitem__, not_judged) if not ref.startswith(LATE_NAMESPACE)]
        async with self._parts.begin() as unit:
            for delivery in batch.deliveries:
                unit.ack(delivery)
            if said:
                message = AssistantMessage(under_way.reply.message_id, text, now, step.id, unfinished)
                message.kind = "unmet" if unmet else "reply"
                if batch.speaks:
                    step.message = message.id
                    await store.put(message, namespace=Namespace.ASSISTANT_MESSAGE, text=text)
                else:
                    step.log = message.id
                    await store.put(message, namespace=Namespace.ASSISTANT_LOG, text=text)
            for call in calls:
                await store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
            await self._history.save(entries, step.id)
            await store.put(step, namespace=Namespace.STEP)
            await self._deferred.mark(left_alone)
        self._parts.checkpoint("step_after_commit")
        self._turns.note(under_way, text, entries)
        self._done(under_way, entries, told=bool(said and batch.speaks) or under_way.reply.streamed)

    def _done(self, under_way: UnderWay, entries: list[HistoryEntry], *, told: bool) -> None:
        self._acts.told()
        self._history.extend(entries)
        self._on_settled(under_way.batch)
        if told:
            self._parts.on_reply(ReplyDelta(under_way.reply.message_id, "", done=True))

    async def _notify(self, step: Step, words: str) -> None:
        note = Notification(
            self._parts.clock.new_id("note"),
            "An event was left without judgement",
            words,
            "the model gave no usable answer",
            f"{Namespace.STEP}:{step.id}",
            self._parts.clock.now(),
            Priority.LOW,
            kind="trouble",
            matter="model",
        )
        await self._parts.store.put(
            note, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG], dedupe_key="model", dedupe_window=86400
        )

    def _calls(
        self, under_way: UnderWay, text: str, requested: Sequence[RequestedCall], effects: Mapping[str, Effect]
    ) -> list[ToolCall]:
        batch, clock = under_way.batch, self._parts.clock
        wanted = [call for call in requested if call.name != WAIT.name]
        at_once = self._limits.now.calls_per_step
        return [
            ToolCall(
                id=clock.new_id("call"),
                name=call.name,
                arguments=call.arguments,
                effect=effects.get(call.name, Effect.READ),
                created_at=clock.now(),
                origin=f"step:{under_way.step.id}",
                root=batch.root,
                tainted=self._history.tainted or any(map(_outside, batch.entries)) or under_way.reads_servers,
                matter=batch.matter,
                deferred="" if number < at_once else WAITS_ITS_TURN,
                question=batch.question,
                announced=batch.speaks and bool(text.strip()),
            )
            for number, call in enumerate(wanted)
        ]

    def _call_entries(self, step: Step, calls: Sequence[ToolCall], behind: int) -> list[HistoryEntry]:
        """Return the history entries of the calls, numbered from ``behind``."""
        limits = self._limits.now
        texts = [(call_entry(call, limits.entry_limit), call.id) for call in calls]
        late = len(calls) - limits.calls_per_step
        if late > 0:
            words = f"the last {late} of these calls wait until earlier ones end; each is run by itself"
            texts.append((note_entry(words), ""))
        return [
            HistoryEntry(f"{step.id}.{number:03d}", line, call)
            for number, (line, call) in enumerate(texts, start=behind)
        ]


def _entries(under_way: UnderWay, ends: Sequence[str]) -> list[HistoryEntry]:
    """Return the history entries of a step: its input, and what it ``ends`` with, which is no call."""
    given = [(text, text != NEW) for text in under_way.opening]  # an act may quote a stranger's words
    given += [(entry.text, _outside(entry)) for entry in under_way.batch.entries]
    given += [(text, False) for text in ends]
    return [
        HistoryEntry(f"{under_way.step.id}.{number:03d}", text, outside=outside)
        for number, (text, outside) in enumerate(given)
    ]


def _outside(entry: Entry) -> bool:
    """Return whether somebody else may have written part of it: what the user did not type may be anybody's."""
    return entry.kind != "user_msg" or bool(UserMessage.of(entry.facts).written.spans)
