"""What must always hold, checked after each commit, each model request and each outside effect, and at the drain.

The checks read the committed log through a connection of their own, and the world's ledger; never the engine's memory.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pepper_tui.config import Config
from pepper_tui.model import (
    ACT,
    APPROVAL,
    FOLLOW_UP,
    NOTIFICATION,
    REMINDER,
    RULE,
    SHOWN,
    TOOL_CALL,
    USER_ACT,
    WORKER_RUN,
    Namespace,
    StateTable,
)
from pepper_tui.scheduler.prompt.history import summary_of
from pepper_tui.store.namespaces import matches
from pepper_tui.tools.approvals.policy import ROOT_FACTOR, asker_of
from tests.simulation.calendar.checks import CalendarChecks
from tests.simulation.calendar.world import CalendarWorld
from tests.simulation.mail.checks import FILE, MailChecks
from tests.simulation.mail.world import MailWorld
from tests.simulation.orders import Orders
from tests.simulation.outside import Outside, Performed, seen_effect

TABLES: dict[str, StateTable[Any]] = {
    Namespace.TOOL_CALL: TOOL_CALL,
    Namespace.APPROVAL: APPROVAL,
    Namespace.NOTIFICATION: NOTIFICATION,
    Namespace.REMINDER: REMINDER,
    Namespace.RUN: WORKER_RUN,
    Namespace.RULE: RULE,
    Namespace.RULE_ACT: ACT,
    Namespace.FOLLOW_UP: FOLLOW_UP,
    Namespace.UNDO: USER_ACT,
}
THROUGH = {
    (Namespace.APPROVAL, "approved", "rejected"),  # taken back and rejected in one commit
    (Namespace.APPROVAL, "approved", "withdrawn"),
    (Namespace.RUN, "waiting_approval", "succeeded"),
    (Namespace.REMINDER, "fired", "offered"),  # an offer's answer taken back
    (Namespace.REMINDER, "cancelled", "offered"),
}
"""Moves of two steps that one commit holds."""
UNJUDGED = "unjudged"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]")
USER_WAITS = 3.0  # seconds after which a step without the user's message may no longer be committed before it
JUST_NOW = 60.0
DOUBT = "once more does no harm"
"""So it is told where a change failed that may have been made."""
SAYS_NOTHING_NEW = frozenset({"notify", "revise_proposal", "take_note", "update_profile"})
LOG_SQL = (
    "SELECT u.seq, n.name, u.context_id, u.version, u.data, u.tags, u.deleted, u.metadata, u.updated_at"
    " FROM updates u JOIN namespaces n ON n.id = u.ns WHERE u.seq > ? ORDER BY u.seq"
)


@dataclass(slots=True)
class Row:
    seq: int
    namespace: str
    id: str
    version: int
    data: dict[str, Any]
    tags: list[str]
    deleted: bool
    metadata: dict[str, Any]
    at: float


@dataclass(slots=True)
class Waiting:
    """One open delivery of the scheduler."""

    seq: int
    rank: int
    state: str
    due: float


@dataclass(slots=True)
class Watch:
    """All that the checks remember of a seed."""

    eye: sqlite3.Connection
    outside: Outside
    mail_world: MailWorld
    calendar_world: CalendarWorld
    config: Config
    now: Callable[[], float]
    elapsed: Callable[[], float]
    trace: Callable[[str], None]
    violations: list[str] = field(default_factory=list)
    last: int = 0
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    by_seq: dict[int, Row] = field(default_factory=dict)
    stored_at: dict[int, float] = field(default_factory=dict)  # virtual time of each seq
    waiting: dict[int, Waiting] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    result_versions: Counter[str] = field(default_factory=Counter)
    quiet_versions: Counter[str] = field(default_factory=Counter)  # of these, such as the user was told of already
    attempts: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)  # acts of the user on unknown calls
    yes: dict[str, list[Performed]] = field(default_factory=dict)  # acts `approve` of the user, by card, not used up
    granted: Counter[Performed] = field(default_factory=Counter)
    effects: Counter[Performed] = field(default_factory=Counter)
    streamed: set[str] = field(default_factory=set)
    prompt: tuple[int, str] = (0, "")  # what the summary covers, and the history, of the last request
    exhausted: bool = False  # a batch has been pre-empted as often as it may be
    shown_seqs: list[int] = field(default_factory=list)
    calm: bool = False
    step_calls: set[str] = field(default_factory=set)
    requested_after_drain: int = 0
    back: dict[str, float] = field(default_factory=dict)  # when the user took back a decision on a card
    offline: bool = False  # whether the engine that runs now has no model
    turns: int = 0  # undo and redo that the user asked for, not used up
    orders: Orders = field(init=False)
    mail: MailChecks = field(init=False)
    calendar: CalendarChecks = field(init=False)

    def __post_init__(self) -> None:
        self.orders = Orders(self)
        self.mail = MailChecks(self, self.mail_world)
        self.calendar = CalendarChecks(self, self.calendar_world)

    def wrong(self, words: str) -> None:
        self.violations.append(f"[{self.elapsed():.3f}] {words}")
        self.trace(f"VIOLATION {words}")

    # ------------------------------------------------------------------------------------------- after each commit

    def after_commit(self) -> None:
        found = self.eye.execute(LOG_SQL, (self.last,)).fetchall()
        fresh = []
        for seq, name, ident, version, data, tags, deleted, metadata, at in found:
            if seq != self.last + 1:
                self.wrong(f"seq {seq} follows {self.last}")
            self.last = seq
            row = Row(
                seq, name, ident, version, json.loads(data), json.loads(tags), bool(deleted), json.loads(metadata), at
            )
            self.stored_at[seq] = self.elapsed()
            fresh.append(row)
        for row in fresh:
            before = self.rows.get((row.namespace, row.id))
            self._check_row(row, before)
            self.orders.on_row(row, before)
            self.calendar.on_row(row, before)
            if row.namespace == Namespace.NOTIFICATION:
                self.orders.on_notice(row, before, fresh)
            elif row.namespace == Namespace.UNDO:
                self._check_turn(row, before, fresh)
            self.rows[row.namespace, row.id] = row
            self.by_seq[row.seq] = row
        self.orders.after_commit(fresh)
        if any(row.namespace in (Namespace.APPROVAL, Namespace.TOOL_CALL) for row in fresh):
            self._check_cards(fresh)
        self._check_queue(fresh)

    def _check_row(self, row: Row, before: Row | None) -> None:
        state = row.data.get("state", "")
        shown = "" if row.namespace.startswith(("llm", "health", "feed", "history")) else str(state)
        self.trace(f"#{row.seq} {row.namespace}:{row.id} v{row.version} {shown}{' deleted' if row.deleted else ''}")
        if before is not None and row.version != before.version + (0 if row.deleted else 1):
            self.wrong(f"{row.namespace}:{row.id} goes from version {before.version} to {row.version}")
        table = TABLES.get(row.namespace)
        if table is not None and not row.deleted:
            was = before.data["state"] if before else None
            if was is None:
                withdrawn = row.metadata.get("withdrawn")  # told before: it is never shown
                at_once = row.namespace == Namespace.RULE_ACT and self._may_move(table, row.namespace, "pending", state)
                by_key = row.namespace == Namespace.APPROVAL and self.mail.is_key(row)
                if state != table.initial and not withdrawn and not at_once and not by_key:
                    self.wrong(f"{row.namespace}:{row.id} begins as {state}")
            elif was != state and not self._may_move(table, row.namespace, was, state):
                self.wrong(f"{row.namespace}:{row.id} moved from {was} to {state}")
        if row.namespace == Namespace.TOOL_CALL:
            self._check_call(row, before)
        elif row.namespace == Namespace.APPROVAL:
            self._check_approval(row, before)
        elif row.namespace == Namespace.STEP:
            self._check_step(row, before)
        elif row.namespace == Namespace.TOOL_RESULT:
            self.result_versions[row.id] += 1
            told = row.data["announced"] and not row.data["question"] and row.data["root"] == "user"
            self.quiet_versions[row.id] += (
                told and row.data["state"] == "succeeded" and row.data["name"] in SAYS_NOTHING_NEW
            )
        elif row.namespace == Namespace.HISTORY and before is not None:
            self.wrong(f"history entry {row.id} was written again")
        elif row.namespace == Namespace.USAGE:
            self._check_budget(row)

    def _check_turn(self, row: Row, before: Row | None, fresh: list[Row]) -> None:
        """An act is undone or done again by a key of the user's, and what it moved goes with it in one commit."""
        moved, state = row.data["moved"], row.data["state"]
        if before is None and len(moved) > 0 and not self._goes_with(moved, fresh):
            self.wrong(f"the act {row.id} is recorded without what it moved: {moved}")
        if before is None or state == before.data["state"] or state == "settled":
            return
        self.turns -= 1
        if self.turns < 0:
            self.wrong(f"the act {row.id} is {state} and nobody asked for it")
        if not self._goes_with(moved, fresh):
            self.wrong(f"the act {row.id} is {state} and nothing that it moved is")

    def _goes_with(self, moved: list[dict[str, Any]], fresh: list[Row]) -> bool:
        written = {(row.namespace, row.id) for row in fresh}
        calls = {row.data.get("call") for row in fresh if row.namespace == Namespace.APPROVAL}
        for one in moved:
            if one["namespace"] == Namespace.TOOL_CALL and self.mail.goes_with(fresh):
                return True
            if (Namespace.NOTIFICATION, one["detail"].get("question")) in written:
                return True  # what the answer had come to is over; the question is back
            card = self.rows.get((one["namespace"], one["id"]))
            if (one["namespace"], one["id"]) in written or (Namespace.RULE_PAUSE, one["id"]) in written:
                return True
            if one["namespace"] == Namespace.APPROVAL and card is not None and card.data["call"] in calls:
                return True
        return False

    @staticmethod
    def _may_move(table: StateTable[Any], namespace: str, was: str, state: str) -> bool:
        kind = type(table.initial)
        return table.allows(kind(was), kind(state)) or (namespace, was, state) in THROUGH

    def _check_call(self, row: Row, before: Row | None) -> None:
        state, was = row.data["state"], before.data["state"] if before else None
        if state == "attempted" and was != "attempted":
            self.attempts[row.id] += 1
            if self.attempts[row.id] > 1:
                self.wrong(f"{row.id} was attempted twice")
        if was == "unknown" and state != "unknown" and not self.answers[row.id] and not self.mail.is_traced(row):
            self.wrong(f"{row.id} left unknown without an answer of the user")
        is_open = "open" in row.tags
        should = state in ("scheduled", "waiting_approval", "attempted") or (
            state == "unknown" and not row.data["acknowledged"]
        )
        if is_open != should:
            self.wrong(f"{row.id} in state {state} is {'' if is_open else 'not '}tagged open")

    def _check_approval(self, row: Row, before: Row | None) -> None:
        state, was = row.data["state"], before.data["state"] if before else None
        if before is not None and row.data["digest"] != before.data["digest"]:
            self.wrong(f"card {row.id} changed what it binds")
        effect = seen_effect(row.data)
        if before is None and state == "approved" and self.mail.is_key(row):
            return
        if state == "approved" and was != "approved":
            acts = self.yes.get(row.id, [])
            if effect not in acts:
                self.wrong(f"card {row.id} became approved without an act of the user on exactly this")
            else:
                acts.remove(effect)
            self.granted[effect] += 1
            if row.data["decided_at"] >= row.data["expires_at"]:
                self.wrong(
                    f"card {row.id} was approved {row.data['decided_at'] - row.data['expires_at']:.3f} s too late"
                )
        if was == "approved" and state != "approved":
            self.granted[effect] -= 1
        if state == "pending" and was in ("approved", "rejected"):
            self.back[row.id] = self.elapsed()
        if state == "approved" and was is None:
            self.wrong(f"card {row.id} was born approved")
        if before is None:
            self._check_new_card(row)

    def _check_new_card(self, row: Row) -> None:
        cards = [other for (namespace, _), other in self.rows.items() if namespace == Namespace.APPROVAL]
        if any(other.data["edited_into"] == row.id for other in cards):
            pass  # it stands where that stood
        elif row.data["retry_of"]:
            self.back[row.id] = self.elapsed()  # what failed is never without a card, whatever else is open
            failed = self.rows[Namespace.APPROVAL, row.data["retry_of"]]
            if (failed.data["digest"], failed.data["effect"]) != (row.data["digest"], row.data["effect"]):
                self.wrong(f"card {row.id} is not what {failed.id} was")
        else:
            self._check_room(row, cards)
        [key] = [tag for tag in row.tags if tag.startswith("same:")]
        for (namespace, ident), other in self.rows.items():
            if namespace != Namespace.APPROVAL or key not in other.tags or other.data["call"] == row.data["call"]:
                continue
            call, asking = (self.rows[Namespace.TOOL_CALL, each.data["call"]].data for each in (other, row))
            by_key = asking["origin"].startswith("user:")  # the user's own key asks anew, each time
            asked_at = asking["created_at"] if by_key else self._asked_at(asking["origin"])
            if other.data["state"] == "rejected" and (other.data["decided_at"] or 0.0) >= asked_at:
                self.wrong(f"card {row.id} asks again for {ident}, which was rejected")
            if other.data["state"] == "approved" and call["state"] in ("unknown", "attempted"):
                self.wrong(f"card {row.id} repeats {ident}, which is {call['state']}")

    def _check_room(self, row: Row, cards: list[Row]) -> None:
        asked = self.rows[Namespace.TOOL_CALL, row.data["call"]].data
        seen = [c for c in cards if c.data["state"] == "pending" and self.elapsed() - self.back.get(c.id, -1.0) > 1.0]
        pending = [self.rows[Namespace.TOOL_CALL, card.data["call"]].data for card in seen]
        alike = [call for call in pending if asker_of(call["origin"]) == asker_of(asked["origin"])]
        root = [call for call in pending if call["root"] == asked["root"]]
        most = self.config.tools.open_cards
        ordered = any(ref.startswith("user.message:") for ref in self._inputs(asked["origin"]))
        if len(alike) >= most or (len(root) >= most * ROOT_FACTOR and not ordered):
            self.wrong(
                f"card {row.id} opens, and {len(alike)} of {asked['origin']}, {len(root)} of its root wait already"
            )

    def _inputs(self, origin: str) -> list[str]:
        """What the step of an origin was given, as references."""
        step = self.rows.get((Namespace.STEP, origin.removeprefix("step:")))
        return list(step.data["inputs"]) if step is not None else []

    def _asked_at(self, origin: str) -> float:
        """When the user said the newest message or answer that led to the step of an origin."""
        found, todo, seen = 0.0, [origin], set[str]()
        while todo:
            seen.add(step := todo.pop())
            for namespace, _, ident in (ref.partition(":") for ref in self._inputs(step)):
                row = self.rows.get((Namespace.TOOL_CALL if namespace == Namespace.TOOL_RESULT else namespace, ident))
                if row is not None and namespace == Namespace.USER_MESSAGE:
                    found = max(found, row.data["created_at"])
                elif row is not None and namespace == Namespace.TOOL_RESULT:
                    todo += {row.data["origin"]} - seen
                    answer = self.rows.get((Namespace.USER_ANSWER, f"question_{ident}"))
                    found = max(found, answer.data["created_at"] if answer is not None else 0.0)
        return found

    def _check_cards(self, fresh: list[Row]) -> None:
        """A card waits exactly where its call waits for it."""
        for row in fresh:
            call = row if row.namespace == Namespace.TOOL_CALL else None
            if row.namespace == Namespace.APPROVAL:
                call = self.rows.get((Namespace.TOOL_CALL, row.data["call"]))
            if call is None:
                continue
            card = self.rows.get((Namespace.APPROVAL, call.data["approval"]))
            waits = call.data["state"] == "waiting_approval"
            if waits and (card is None or card.data["state"] not in ("pending", "approved")):
                self.wrong(f"{call.id} waits for a card that is {card.data['state'] if card else 'not there'}")
            if card is not None and card.data["state"] == "pending" and not waits:
                self.wrong(f"card {card.id} is pending for {call.id}, which is {call['state']}")
            if (
                row.namespace == Namespace.APPROVAL
                and row.data["state"] == "pending"
                and call.data["approval"] != row.id
            ):
                self.wrong(f"card {row.id} is pending, but {call.id} waits for {call.data['approval']}")

    def _check_budget(self, row: Row) -> None:
        if row.deleted:
            return
        cost, tokens = self._used(row.data["created_at"])  # the row itself is not among the rows yet
        cost, tokens = cost + row.data["cost"], tokens + row.data["prompt_tokens"] + row.data["completion_tokens"]
        if self.config.models.prices and cost > self.config.budget.daily + 1e-9:
            self.wrong(f"the day costs {cost:.6f}, above the cap {self.config.budget.daily}")
        if tokens > self.config.budget.daily_tokens:
            self.wrong(f"the day takes {tokens} tokens, above the cap {self.config.budget.daily_tokens}")

    def _used(self, at: float) -> tuple[float, int]:
        """What the model calls of a moment's day have come to: money and tokens."""
        zone = ZoneInfo(self.config.user.zone)
        day = datetime.fromtimestamp(at, zone).date()
        calls = [
            row.data
            for (namespace, _), row in self.rows.items()
            if namespace == Namespace.USAGE
            and not row.deleted
            and datetime.fromtimestamp(row.data["created_at"], zone).date() == day
        ]
        return sum(one["cost"] for one in calls), sum(one["prompt_tokens"] + one["completion_tokens"] for one in calls)

    def tokens_today(self) -> int:
        return self._used(self.now())[1]

    # ------------------------------------------------------------------------------------------- steps

    def _check_step(self, row: Row, before: Row | None) -> None:
        if before is not None:
            self.wrong(f"step {row.id} was written twice")
            return
        inputs = [self.rows.get(tuple(ref.split(":", 1))) for ref in row.data["inputs"]]  # type: ignore[arg-type]
        if None in inputs:
            self.wrong(f"step {row.id} names an input that is not there: {row.data['inputs']}")
            return
        held = [one for one in inputs if one is not None]
        self.orders.on_step(row, held)
        users = [one for one in held if one.namespace == Namespace.USER_MESSAGE]
        speaks = bool(users) or any(
            one.namespace == Namespace.TOOL_RESULT and one.data["root"] == "user" for one in held
        )
        for ref, one in zip(row.data["inputs"], held, strict=True):
            self.taken[ref] += 1
            most = self.result_versions[one.id] if one.namespace == Namespace.TOOL_RESULT else self._looks(ref)
            if self.taken[ref] > most:
                self.wrong(f"step {row.id} takes {ref} again")
            if one.namespace.startswith("signals.") and one.data.get("priority") == "log":
                self.wrong(f"step {row.id} takes a signal of priority log: {ref}")
        for one in users:
            if one.data["withdrawn"]:
                self.wrong(f"step {row.id} takes the withdrawn message {one.id}")
        if row.data["message"] and not speaks:
            self.wrong(f"step {row.id} speaks, and nobody asked")
        if row.data["message"] in self.streamed and not users:
            self.wrong(f"step {row.id} streamed without a message of the user")
        if row.data["outcome"] == "trouble" and speaks and not row.data["message"]:
            self.wrong(f"step {row.id} had trouble and tells nobody")
        twice = self.step_calls.intersection(row.data["calls"])
        if twice:
            self.wrong(f"step {row.id} has calls of another step: {twice}")
        self.step_calls.update(row.data["calls"])
        for call_id in row.data["calls"]:
            call = self.rows.get((Namespace.TOOL_CALL, call_id))
            if call is None:
                self.wrong(f"step {row.id} names the call {call_id}, which is not there")
            elif (call.data["root"] == "user") != speaks:
                self.wrong(f"call {call_id} of step {row.id} has the root {call.data['root']}")
        if not users:
            self._check_user_waits(row)

    def _looks(self, ref: str) -> int:
        """How many steps take a signal: one more where a model that came later was given what was not judged.

        What is older than the days that the config names is not given to it: the clock may have jumped since.
        """
        late = [row for (namespace, _), row in self.rows.items() if namespace == f"signals.{UNJUDGED}"]
        given = any(ref in row.data["metadata"]["signals"] for row in late)
        mark, (namespace, _, ident) = self.rows.get((UNJUDGED, ref)), ref.partition(":")
        signal, most = self.rows.get((namespace, ident)), self.config.scheduler.judge_days * 86_400
        if mark is not None and mark.deleted and signal is not None and not given and mark.at - signal.at < most:
            self.wrong(f"{ref} was not judged, and is not given to the model that came later")
        return 1 + given

    def _check_user_waits(self, step: Row) -> None:
        for waiting in self.waiting.values():
            message = self.by_seq.get(waiting.seq)
            if waiting.rank != 0 or waiting.state != "pending" or message is None or self.exhausted:
                continue
            current = self.rows[message.namespace, message.id]
            if current.data["withdrawn"] or current.data["after_calls"]:
                continue
            waited = self.elapsed() - self.stored_at[waiting.seq]
            if waited > USER_WAITS:
                self.wrong(f"step {step.id} went before the message {message.id}, which waited {waited:.1f} s")

    def _check_queue(self, fresh: list[Row]) -> None:
        row = self.eye.execute("SELECT id FROM subscriptions WHERE name = 'scheduler'").fetchone()
        if row is None:
            return
        found = self.eye.execute("SELECT seq, rank, state, due FROM deliveries WHERE subscription = ?", row).fetchall()
        now = {seq: Waiting(seq, rank if rank is not None else -1, state, due) for seq, rank, state, due in found}
        gone = [waiting for seq, waiting in self.waiting.items() if seq not in now]
        if any(one.namespace == Namespace.STEP for one in fresh):
            for done in gone:
                for other in now.values():
                    if other.state == "pending" and 0 <= other.rank <= done.rank and other.seq < done.seq:
                        behind = self.by_seq[other.seq]
                        if behind.data.get("after_calls") or other.seq not in self.waiting:
                            continue
                        if self.rows[behind.namespace, behind.id].data.get("withdrawn"):
                            continue
                        self.wrong(f"#{done.seq} (rank {done.rank}) was taken before #{other.seq} (rank {other.rank})")
        for seq, waiting in now.items():
            was = self.waiting.get(seq)
            if was is not None and (was.state, waiting.state) in {("retrying", "pending"), ("dead", "retrying")}:
                self.wrong(f"delivery {seq} moved from {was.state} to {waiting.state}")
        self.waiting = now

    # ------------------------------------------------------------------------------------------- requests and effects

    def on_request(self, role: str, body: dict[str, Any]) -> None:
        texts = [str(message["content"] or "") for message in body["messages"]]
        size = sum(map(len, texts))
        self.trace(f"model asked as {role}: {size} characters")
        if self.calm:
            self.requested_after_drain += 1
        others = [
            str(m["content"]) for m in body["messages"][1:] if m["role"] != "assistant"
        ]  # its own words are its own
        for text in others:
            if '<forged id="x">' in text or '<user_msg id="forged"' in text:
                self.wrong(f"text from outside stands unescaped in a prompt of the {role}")
            if CONTROL.search(text):
                self.wrong(f"a control character stands in a prompt of the {role}")
        if role != "scheduler":
            return
        if not body["extra_body"]["tools"]:
            self.wrong("the scheduler's model is offered no tools")
        limit = self.config.scheduler.prompt_limit
        if size > limit:
            self.wrong(f"a prompt of {size} characters, above the limit of {limit}")
        covers, summary, history = self._expected()
        whole = f"{summary}\n{history}" if summary and history else summary or history
        # behind calls in the native form, an answer that could not be carried out may stand, with its correction
        told = [message for message in body["messages"][2:] if message.get("tool_calls") or message["role"] == "tool"]
        if told:
            self._check_native(texts[1], told, whole)
        elif not texts[1].startswith(whole) and size < limit:
            self.wrong("the prompt does not begin with the committed history")
        if covers == self.prompt[0] and not history.startswith(self.prompt[1]):
            self.wrong("the prompt is not append-only")
        self.prompt = (covers, history)

    def _check_native(self, log: str, told: list[dict[str, Any]], whole: str) -> None:
        """A turn's calls in the native form stand for the end of the history, all of it, and each has its result."""
        if not whole.startswith(log):
            self.wrong("the log of a prompt with native calls is not the beginning of the history")
        rest = whole[len(log) :]
        called = [call["id"] for message in told for call in message.get("tool_calls") or ()]
        results = [message["tool_call_id"] for message in told if message["role"] == "tool"]
        if called != results or len(called) != len(set(called)):
            self.wrong(f"native calls {called} have the results {results}")
        written = re.findall(r'<tool_result id="([^"]*)"', rest)
        newest = [m["tool_call_id"] for m in told[max(i for i, m in enumerate(told) if m["role"] == "assistant") + 1 :]]
        if written + newest != results:
            self.wrong(f"the history's results {written} and the new ones {newest} are told as {results}")
        if re.search(r"<(user_msg|signal|user_act|summary)[ >]", rest):
            self.wrong("something of the history is not told beside native calls")

    def _expected(self) -> tuple[int, str, str]:
        kept = self.rows.get((Namespace.SUMMARY, "current"))
        after = int(kept.data["covers_seq"]) if kept else 0
        entries = [
            row for (namespace, _), row in self.rows.items() if namespace == Namespace.HISTORY and row.seq > after
        ]
        summary = summary_of(kept.data).shown if kept else ""
        return after, summary, "\n".join(row.data["text"] for row in sorted(entries, key=lambda row: row.seq))

    def on_effect(self, done: Performed) -> None:
        self.trace(f"EFFECT {done.kind} {hash_of(done.key)}")
        self.effects[done] += 1
        if self.effects[done] > 1:
            self.wrong(f"{done.kind} happened twice")
        cards = [
            row
            for (namespace, _), row in self.rows.items()
            if namespace == Namespace.APPROVAL and seen_effect(row.data) == done
        ]
        if not any(row.data["state"] == "approved" for row in cards) or self.granted[done] < 1:
            self.wrong(f"{done.kind} happened without a yes: {[row.data['state'] for row in cards]}")
        calls = [self.rows[Namespace.TOOL_CALL, row.data["call"]] for row in cards]
        if not any(call.data["state"] == "attempted" for call in calls):
            self.wrong(f"{done.kind} happened and its attempt was not committed: {[c.data['state'] for c in calls]}")

    # ------------------------------------------------------------------------------------------- at the drain

    def unfinished(self) -> list[str]:
        """What still has to come to its end before the world is drained."""
        found = [
            f"{name} delivery {seq} {state}"
            for name, seq, state in self.eye.execute(
                "SELECT s.name, d.seq, d.state FROM deliveries d JOIN subscriptions s ON s.id = d.subscription"
                " WHERE d.state <> 'dead' AND (d.rank IS NULL OR d.rank < 9)"
            )
        ]
        for (namespace, ident), row in self.rows.items():
            state = row.data.get("state")
            if namespace == Namespace.TOOL_CALL and state in ("scheduled", "waiting_approval", "attempted"):
                found.append(f"{ident} {row.data['name']} {state}")
            elif namespace == Namespace.RUN and state in ("queued", "running", "waiting_approval"):
                found.append(f"{ident} {state}")
            elif namespace == Namespace.APPROVAL and state == "pending":
                found.append(f"card {ident} {state}")
            elif namespace == Namespace.REMINDER and state == "waiting" and row.data["due"] <= self.now():
                found.append(f"{ident} is due")
            elif (
                namespace == Namespace.NOTIFICATION
                and state == "snoozed"
                and (row.data["snoozed_until"] or 0) <= self.now()
            ):
                found.append(f"{ident} is snoozed beyond its time")
        files = {tuple(f)[1] for (n, _), row in self.rows.items() if n == "raw.mail" for f in row.data["files"]}
        found += [f"mail {name} was not taken in" for name, _, _ in self.outside.mails if name not in files]
        shown = {ident for (n, ident), _ in self.rows.items() if n == "raw.gauge"}
        found += [
            f"reading {one['id']} was not taken in"
            for one in self.outside.readings
            if f"gauge_{one['id']}" not in shown
        ]
        tallied = {ident for (n, ident), _ in self.rows.items() if n == "tally"}
        found += [f"{reading} was not tallied" for reading in shown - tallied]
        return found + self.orders.unfinished() + self.mail.unfinished() + self.calendar.unfinished()

    def at_drain(self, live: list[int], live_from: int) -> None:
        for name, seq, error in self.eye.execute(
            "SELECT s.name, d.seq, d.error FROM deliveries d JOIN subscriptions s ON s.id = d.subscription"
            " WHERE d.state = 'dead'"
        ):
            self.wrong(f"a dead letter: {name} #{seq} {error}")
        self.orders.at_drain()
        self.mail.at_drain()
        self.calendar.at_drain()
        steps = [row for (namespace, _), row in self.rows.items() if namespace == Namespace.STEP]
        fired: Counter[str] = Counter()
        offered: Counter[str] = Counter()
        for (namespace, ident), row in self.rows.items():
            if namespace == Namespace.USER_MESSAGE:
                self._check_answered(row, steps)
            elif namespace.startswith("signals."):
                wanted = 0 if row.data["priority"] == "log" else self._looks(f"{namespace}:{ident}")
                if self.elapsed() - self.stored_at[row.seq] < JUST_NOW:
                    continue  # the clock's own signal, in the last moment of the idle time
                if self.taken[f"{namespace}:{ident}"] != wanted:
                    self.wrong(f"the signal {ident} reached {self.taken[f'{namespace}:{ident}']} steps")
            elif namespace == Namespace.TOOL_CALL:
                self._check_end(row)
            elif namespace == Namespace.USER_ANSWER:
                self._check_answer(row)
            elif namespace == Namespace.NOTIFICATION and row.data["kind"] == "question":
                self._check_question(row)
            elif namespace == Namespace.NOTIFICATION and row.data["kind"] == "reminder":
                fired[row.data["source"].removeprefix(f"{Namespace.REMINDER}:")] += 1
            elif namespace == Namespace.NOTIFICATION and row.data["kind"] == "offer":
                offered.update(row.metadata.get("reminders", []))
            elif namespace == Namespace.HEALTH and ident in ("tools", "deliveries") and row.data["state"] != "ok":
                self.wrong(f"{row.data['part']} is in {row.data['state']}: {row.data['detail']}")
        for (namespace, ident), row in self.rows.items():
            if namespace == Namespace.REMINDER and not row.data["rule"]:
                wanted = 1 if row.data["state"] == "fired" and not offered[ident] else 0
                if fired[ident] != wanted:
                    self.wrong(f"{ident} ({row.data['state']}, {offered[ident]} offers) fired {fired[ident]} times")
        expected = [
            seq
            for seq, row in sorted(self.by_seq.items())
            if seq > live_from and matches((*SHOWN, Namespace.STEP), row.namespace)
        ]
        if live != expected:
            missing = sorted(set(expected) - set(live))
            self.wrong(f"the screen missed updates {missing[:5]} or saw them out of order")

    def _check_answered(self, row: Row, steps: list[Row]) -> None:
        ref = f"{Namespace.USER_MESSAGE}:{row.id}"
        if row.data["withdrawn"]:
            if self.taken[ref]:
                self.wrong(f"the withdrawn message {row.id} was taken all the same")
            return
        step = next((one for one in steps if ref in one.data["inputs"]), None)
        if step is None:
            self.wrong(f"the message {row.id} reached no step")
        elif not self._in_words(step, steps):
            self.wrong(f"the message {row.id} has no answer in words (step {step.id}, {step.data['outcome']})")
        elif step.data["message"] and (Namespace.ASSISTANT_MESSAGE, step.data["message"]) not in self.rows:
            self.wrong(f"the answer {step.data['message']} is not there")

    def _in_words(self, step: Row, steps: list[Row]) -> bool:
        """Whether the step, or one that took a result of its calls, spoke."""
        if step.data["message"]:
            return True
        results = {f"{Namespace.TOOL_RESULT}:{call}" for call in step.data["calls"]}
        return any(self._in_words(other, steps) for other in steps if results.intersection(other.data["inputs"]))

    def _check_answer(self, row: Row) -> None:
        """The user's answer is the result of the call that asked."""
        result = self.rows.get((Namespace.TOOL_RESULT, row.id.removeprefix("question_")))
        if result is None or row.data["text"] not in result.data["content"]:
            self.wrong(f"the answer {row.id} {row.data['text']!r} is not what its call came to")
        if row.version != 1:
            self.wrong(f"the answer {row.id} was given {row.version} times")

    def _check_question(self, row: Row) -> None:
        """A question that a call waits for ends with it."""
        call = self.rows.get((Namespace.TOOL_CALL, row.data["source"].removeprefix(f"{Namespace.TOOL_CALL}:")))
        ended = call is not None and call.data["state"] in ("succeeded", "failed", "cancelled")
        if row.id.startswith("question_") and ended and row.data["state"] not in ("done", "dismissed"):
            self.wrong(f"{row.id} is {row.data['state']}, and its call has ended")

    def _check_end(self, row: Row) -> None:
        state, name = row.data["state"], row.data["name"]
        result = self.rows.get((Namespace.TOOL_RESULT, row.id))
        if result is None or (result.data["state"] != state and state != "unknown"):
            self.wrong(f"{row.id} is {state}, its result {result.data['state'] if result else 'is not there'}")
        mark = ("sim.mark", row.id) in self.rows
        if name == "mark" and mark != (state == "succeeded"):
            self.wrong(f"{row.id} is {state}, and its mark is {'there' if mark else 'not there'}")
        if row.data["origin"].startswith("step:") and (row.data["effect"] != "local" or row.data["root"] == "user"):
            ref = f"{Namespace.TOOL_RESULT}:{row.id}"
            least = self.result_versions[row.id] - self.quiet_versions[row.id]
            if self.taken[ref] != least:
                self.wrong(f"the {least} results of {row.id} that need a step reached {self.taken[ref]} steps")
        if row.data["effect"] not in ("write", "send") or not row.data["approval"] or name == FILE:
            return  # what was filed: see ``MailChecks``
        card = self.rows[Namespace.APPROVAL, row.data["approval"]]
        happened = self.effects[seen_effect(card.data)]
        undone = state in ("cancelled", "failed") and not self.answers[row.id] and DOUBT not in row.data["error"]
        if happened and undone and not self._done_by_another(card):
            self.wrong(f"{row.id} is told as {state}, and it happened")
        if not happened and state == "succeeded" and not self.answers[row.id]:
            self.wrong(f"{row.id} is told as succeeded, and it never happened")

    def _done_by_another(self, card: Row) -> bool:
        """Whether another try of the same may have done what a card stood for."""
        same = [other for (space, _), other in self.rows.items() if space == Namespace.APPROVAL and other.id != card.id
                and seen_effect(other.data) == seen_effect(card.data)]  # fmt: skip
        calls = [self.rows[Namespace.TOOL_CALL, other.data["call"]] for other in same]
        return any(
            call.data["state"] in ("succeeded", "unknown") or self.answers[call.id] or DOUBT in call.data["error"]
            for call in calls
        )


def hash_of(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:8]
