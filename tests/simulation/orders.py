"""What the user ordered: each act of each match is done once, or says in words why not; nothing of it is decided by a
model. Checked on the committed log alone, like all of ``invariants``."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pepper_tui.model import WAITS_ITS_TURN, Match, Namespace, act_id, matches_of

if TYPE_CHECKING:
    from tests.simulation.invariants import Row, Watch

CLOSED = ("done", "dismissed")
NO_ANSWER = "signals.follow_up:signal_"
WROTE_AGAIN, HAS_ANSWERED = "you wrote to them again", " has answered"
RESOLVED = (
    "you answered it",
    "it was answered meanwhile",
    "you answered it meanwhile",
    "it was cancelled meanwhile",
    "it is over",
)
"""Why a request may be closed without the user; besides, where the same was told before."""
SILENT = (
    "was there when Pepper first looked",
    "it was read when Pepper first saw it",
    "it was answered when Pepper first saw it",
    "it was deleted when Pepper first saw it",
    "in the folder ",
)
"""Why a mail is nobody's business any more when it comes in."""
TOLD_BEFORE = "the same was announced before"
NOT_IN_TIME = "no answer came in time"
NO_LONGER = "who asked does not wait for it any more"
NO_MODEL = "waits for a model"
WAITS = (NO_MODEL, "waits for room", WAITS_ITS_TURN)
MADE = {
    "notify": Namespace.NOTIFICATION,
    "draft": Namespace.TOOL_CALL,
    "remind": Namespace.REMINDER,
    "follow_up": Namespace.FOLLOW_UP,
    "brief": Namespace.NOTIFICATION,
    "ask": Namespace.NOTIFICATION,
}
"""Where what an act has made lies, once it is done. An ``ask`` that was answered names its notice, or else its call."""
PLAIN = {"name", "words", "sender", "source", "notify", "draft", "reply", "remind", "follow_up", "nudge", "ask",
         "priority"}  # fmt: skip
"""Keys of a rule whose condition is read once more here."""
A_WHILE = 15.0  # seconds within which one part may not have seen yet what another has committed
JUST_NOW = 60.0


class Orders:
    """The checks on rules, their acts, follow-ups, and on requests of the inbox that close."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.said: Counter[str] = Counter()  # rules that the user's own key has paused, resumed or removed, not used up
        self._calls: Counter[str] = Counter()  # calls that an act has made itself, by its id
        self._paused: dict[str, float] = {}  # rule -> since when
        self._moody: set[str] = set()  # rules that were ever paused
        self._since: dict[tuple[str, str], float] = {}  # since when something is open

    @property
    def _rows(self) -> dict[tuple[str, str], Row]:
        return self._watch.rows

    def _of(self, namespace: str) -> list[Row]:
        return [row for (space, _), row in self._rows.items() if space == namespace and not row.deleted]

    def _ref(self, ref: str) -> Row | None:
        namespace, _, ident = ref.partition(":")
        return self._rows.get((namespace, ident))

    # ------------------------------------------------------------------------------------------- after each commit

    def on_row(self, row: Row, before: Row | None) -> None:
        """A row as it is committed, over ``before``."""
        match row.namespace:
            case Namespace.RULE_ACT:
                self._act(row, before)
            case Namespace.RULE_MATCH if before is not None:
                self._watch.wrong(f"the rules of {row.id} were looked after twice")
            case Namespace.RULE_PAUSE:
                self._moody.add(row.id)
                if row.deleted:
                    self._paused.pop(row.id, None)
                else:
                    self._paused[row.id] = self._watch.elapsed()
            case Namespace.FOLLOW_UP:
                self._follow_up(row, before)
        if row.namespace.startswith("signals.") and before is None:
            self._matched(row)
        if (row.namespace, row.id) not in self._since and self._goes_on(row):
            self._since[row.namespace, row.id] = self._watch.elapsed()
        elif not self._goes_on(row):
            self._since.pop((row.namespace, row.id), None)

    @staticmethod
    def _goes_on(row: Row) -> bool:
        open_states = {
            Namespace.TOOL_CALL: ("scheduled", "waiting_approval", "attempted"),
            Namespace.REMINDER: ("waiting",),
            Namespace.FOLLOW_UP: ("open",),
        }
        return row.data.get("state") in open_states.get(row.namespace, ())  # type: ignore[call-overload]

    def _act(self, row: Row, before: Row | None) -> None:
        data, wrong = row.data, self._watch.wrong
        if row.id != act_id(data["rule"], data["version"], data["match"], data["act"]):
            wrong(f"the act {row.id} has the id of another")
        is_open = data["state"] in ("pending", "deferred")
        if is_open != ("open" in row.tags) or is_open != (data["ended_at"] is None):
            wrong(f"the act {row.id} is {data['state']}, its tags are {row.tags}, its end is {data['ended_at']}")
        if data["state"] in ("failed", "withdrawn", "deferred") and not data["detail"]:
            wrong(f"the act {row.id} is {data['state']} and says no why")
        if data["state"] == "deferred" and not data["detail"].startswith(WAITS):
            wrong(f"the act {row.id} is deferred, and no limit is named: {data['detail']}")
        if before is not None and before.data["created_at"] != data["created_at"]:
            wrong(f"the act {row.id} was begun again")

    def _matched(self, signal: Row) -> None:
        """A paused rule matches nothing that comes later."""
        raw = self._rows.get((f"raw.{signal.data['source']}", str(signal.data["metadata"].get("raw"))))
        came = self._watch.stored_at[raw.seq] if raw is not None else 0.0
        for match in matches_of(signal.data["metadata"]):
            since = self._paused.get(match.rule)
            if since is not None and came > since + A_WHILE and not match.version.startswith("follow-up"):
                self._watch.wrong(f"the rule {match.rule} is paused, and matches {signal.id}")

    def _follow_up(self, row: Row, before: Row | None) -> None:
        state, was = row.data["state"], before.data["state"] if before else ""
        if state == was:
            return
        if state == "due":
            if row.data["due"] > max(self._watch.now(), self._watch.outside.latest):
                self._watch.wrong(f"{row.id} fell due before its time")
            if answer := self._answer_to(row):
                self._watch.wrong(f"{row.id} fell due, and {answer.id} answers it")
        elif state == "answered":
            answer = self._rows.get(("raw.mail", row.data["answer"]))
            if answer is None or not self._answers(answer, row):
                self._watch.wrong(f"{row.id} is told as answered by {row.data['answer']}, which is no answer to it")
        elif state == "dropped":
            self._watch.wrong(f"{row.id} was dropped by nobody")

    def _answers(self, mail: Row, waits: Row) -> bool:
        data, waited = mail.data, waits.data
        named = {data["thread"], data["in_reply_to"], *data["references"]}
        automatic = data["auto_submitted"] not in ("", "no")
        return (
            bool(named & {waited["thread"], *waited["message_ids"]})
            and data["sender"]["address"] in waited["parties"]
            and not (automatic or data["backlog"] or data["message_id"] in waited["message_ids"])
        )

    def _began(self, waits: Row) -> float | None:
        """When the mail was written that waits for an answer, as far as is known."""
        first = self._ref(waits.data["source"])
        if first is not None and first.namespace == Namespace.TOOL_CALL:
            return float(waits.data["wrote"])
        mail = self._rows.get(("raw.mail", first.data["metadata"]["raw"])) if first is not None else None
        return mail.data["date"] if mail is not None else None

    def _answer_to(self, waits: Row) -> Row | None:
        """A mail that should have ended a follow-up a while ago."""
        began = self._began(waits)
        for mail in self._of("raw.mail") if began is not None else ():
            later = (mail.data["date"] or 0.0) > began
            told = self._watch.elapsed() - self._watch.stored_at[mail.seq] > A_WHILE
            if later and told and self._answers(mail, waits):
                return mail
        return None

    def _answer_in_time(self, waits: Row) -> Row | None:
        """An answer that lay there well before the follow-up fell due, though nobody had read it yet."""
        outside = self._watch.outside  # by a clock that was put back, what came later came before
        answer = None if outside.faulty_disk or outside.set_back else self._answer_to(waits)
        if answer is None or answer.data["account"]:  # a server may be closed to Pepper
            return None
        by = min(waits.data["due"], waits.data["ended_at"]) - A_WHILE
        return answer if answer.data["arrived"] < by else None

    def after_commit(self, fresh: Iterable[Row]) -> None:
        """What was committed together, each row by now in its last version."""
        self._check_yes([*fresh])
        for row in fresh:
            if row.version == 1:
                self._made(row)
            for namespace, ident in self._goes_with(row):
                if (namespace, ident) not in self._rows:
                    words = (
                        f"{row.namespace}:{row.id} {row.data.get('state', '')} is committed without {namespace}:{ident}"
                    )
                    self._watch.wrong(words)

    @staticmethod
    def _goes_with(row: Row) -> list[tuple[str, str]]:
        """What has to be committed with ``row``, or before it."""
        match row.namespace, row.data.get("state"):
            case Namespace.RULE_ACT, _:
                return [(Namespace.RULE_MATCH, row.data["match"])]
            case Namespace.RULE_MATCH, _:
                return [(Namespace.RULE_ACT, act) for act in row.data["acts"]]
            case Namespace.FOLLOW_UP, "due":
                return [("signals.follow_up", f"signal_{row.id}")]
            case Namespace.FOLLOW_UP, "answered" if not row.data["quiet"]:
                return [(Namespace.NOTIFICATION, f"ntf_{row.id}_answered")]
        return []

    def _made(self, row: Row) -> None:
        if row.namespace == Namespace.TOOL_CALL and row.data["origin"].startswith("act:"):
            self._made_call(row)
        elif row.namespace == Namespace.REMINDER and row.data["source"].startswith("rule.act:"):
            self._begun_twice(row, row.data["source"].removeprefix("rule.act:"))
        elif row.namespace == Namespace.FOLLOW_UP and not row.data["quiet"]:  # no act begins those
            self._begun_twice(row, row.data["act"])

    def _check_yes(self, fresh: list[Row]) -> None:
        """A rule is made, changed, paused or removed by the user's own key, or by a card that they approved."""
        said = 0
        for call in fresh:
            if call.namespace == Namespace.TOOL_CALL and call.data["name"].endswith("_rule"):
                card = self._rows.get((Namespace.APPROVAL, call.data["approval"]))
                approved = card is not None and card.data["state"] == "approved"
                said += 2 if approved and call.data["state"] == "succeeded" else 0  # to remove one ends its pause
        undo = [
            row
            for row in fresh
            if row.namespace == Namespace.UNDO and row.version > 1 and row.data["state"] != "settled"
        ]
        turned = {moved["id"] for row in undo for moved in row.data["moved"] if moved["namespace"] == Namespace.RULE}
        for row in fresh:
            if row.namespace not in (Namespace.RULE, Namespace.RULE_PAUSE):
                continue
            if row.id in turned:  # by a key, see ``Watch._check_turn``
                continue
            if self.said[row.id]:
                self.said[row.id] -= 1
            elif said:
                said -= 1
            else:
                self._watch.wrong(f"{row.namespace}:{row.id} changes without a yes")

    def _made_call(self, row: Row) -> None:
        ident, call = row.data["origin"].removeprefix("act:"), self._rows[row.namespace, row.id]
        card = self._rows.get((Namespace.APPROVAL, call.data["approval"]))
        if card is not None and card.data["retry_of"]:
            return  # a card that came back
        self._calls[ident] += 1
        act = self._rows.get((Namespace.RULE_ACT, ident))
        if self._calls[ident] > 1:
            self._watch.wrong(f"the act {ident} has made {self._calls[ident]} calls")
        if act is None or act.data["made"] != f"{Namespace.TOOL_CALL}:{row.id}":
            self._watch.wrong(f"{row.id} was made by an act that does not name it: {act.data if act else ident}")
        elif act.data["act"] == "draft":
            self._begun_twice(row, ident)

    def _begun_twice(self, row: Row, ident: str) -> None:
        """Of one sender's matter a rule starts one reminder and follow-up at a time, and all rules one draft to one
        person: a stranger who writes into a thread takes nobody's place in it."""
        act = self._rows[Namespace.RULE_ACT, ident].data
        for (namespace, other), since in self._since.items():
            if namespace != row.namespace or other == row.id or self._watch.elapsed() - since < A_WHILE:
                continue
            earlier = self._act_of(self._rows[namespace, other])
            if earlier is None or earlier["act"] != act["act"] or not act["matter"] or earlier["id"] == act["id"]:
                continue
            whose = [(self._whose(each), self._sender(each).lower()) for each in (act, earlier)]
            if earlier["matter"] != act["matter"] or whose[0] != whose[1]:
                continue
            ended = (
                row.namespace == Namespace.FOLLOW_UP
                and self._sender(act) in self._rows[namespace, other].data["parties"]
            )
            if not ended:
                self._watch.wrong(f"{ident} begins {row.id}, while {other} of the same matter goes on")

    def _act_of(self, row: Row) -> dict[str, Any] | None:
        by = row.data.get("act") or row.data.get("origin") or row.data.get("source") or ""
        found = self._rows.get((Namespace.RULE_ACT, str(by).removeprefix("act:").removeprefix("rule.act:")))
        return found.data if found is not None else None

    def _whose(self, act: dict[str, Any]) -> str:
        if act["act"] != "draft":
            return str(act["rule"])
        signal = self._ref(act["match"])
        facts = signal.data["metadata"] if signal is not None else {}
        return str(facts.get("reply_to") or facts.get("sender") or "").lower()

    def _sender(self, act: dict[str, Any]) -> str:
        signal = self._ref(act["match"])
        return str(signal.data["metadata"].get("sender") or "") if signal is not None else ""

    # ------------------------------------------------------------------------------------------- requests of the inbox

    def on_notice(self, row: Row, before: Row | None, fresh: Iterable[Row]) -> None:
        """A request closes by the user, an answer, or a repetition; of a state the newest may take its place."""
        state, why = row.data["state"], str(row.metadata.get("withdrawn") or "")
        if state not in CLOSED or (before is not None and before.data["state"] in CLOSED):
            return
        if not why:
            undo = [one for one in fresh if one.namespace == Namespace.UNDO]
            named = {(moved["namespace"], moved["id"]) for one in undo for moved in one.data["moved"]}
            named |= {(Namespace.NOTIFICATION, ident) for space, ident in named if space == Namespace.USER_ANSWER}
            asked = [str(moved["detail"].get("question")) for one in undo for moved in one.data["moved"]]
            if (Namespace.NOTIFICATION, row.id) not in named and row.id not in asked:
                self._watch.wrong(f"the notice {row.id} became {state} by nobody")
        elif why == TOLD_BEFORE:
            return  # what tells it may be committed a moment later
        elif why == NOT_IN_TIME:
            if row.data["expires_at"] is None or row.data["expires_at"] > row.at:
                self._watch.wrong(f"the question {row.id} expired before its time")
        elif why == NO_LONGER:
            call = self._ref(row.data["source"])
            if call is None or call.data["state"] not in ("succeeded", "failed", "cancelled"):
                self._watch.wrong(f"the question {row.id} was withdrawn, and its call waits")
        elif why.startswith("replaced by"):
            if row.data["matter_kind"] != "state":
                self._watch.wrong(f"the request {row.id} was {why}")
        elif self._watch.mail.may_end(row, why) or self._watch.calendar.may_end(row, why):
            return
        elif row.data["source"].startswith(NO_ANSWER) and (why == WROTE_AGAIN or why.endswith(HAS_ANSWERED)):
            waits = self._ref(f"follow_up:{row.data['source'].removeprefix(NO_ANSWER)}")
            sender = why.removesuffix(HAS_ANSWERED)
            if waits is None or (why != WROTE_AGAIN and sender not in waits.data["parties"]):
                self._watch.wrong(f"the card {row.id} ended though nobody answered: {why}")
        elif why not in RESOLVED:
            self._watch.wrong(f"the notice {row.id} was withdrawn: {why}")
        elif "answered" in why and not self._was_answered(row.data["matter"]):
            self._watch.wrong(f"the request {row.id} is closed as answered, and nobody has answered")

    def _told(self, row: Row) -> bool:
        """Whether another notice, which was shown, tells the same."""
        return any(
            other.id != row.id
            and other.metadata.get("withdrawn") != TOLD_BEFORE
            and (
                other.data["source"] == row.data["source"]
                or (other.data["matter"], other.data["title"].lower())
                == (row.data["matter"], row.data["title"].lower())
            )
            for other in self._of(Namespace.NOTIFICATION)
        )

    def _was_answered(self, matter: str) -> bool:
        own = any(
            row.data["matter"] == matter and row.data["metadata"].get("kind") == "own"
            for row in self._of("signals.mail")
        )
        sent = [
            row
            for row in self._of(Namespace.TOOL_CALL)
            if row.data["effect"] == "send" and row.data["state"] == "succeeded"
        ]
        return own or any(matter in (call.data["matter"], self._replied_to(call)) for call in sent)

    def _replied_to(self, call: Row) -> str:
        card = self._rows.get((Namespace.APPROVAL, call.data["approval"]))
        fields = card.data["effect"]["payload"].get("fields") if card is not None else None
        answered = fields.get("in_reply_to") if isinstance(fields, dict) else ""
        return next(
            (f"mail:{mail.data['thread']}" for mail in self._of("raw.mail") if mail.data["message_id"] == answered), ""
        )

    # ------------------------------------------------------------------------------------------- steps

    def on_step(self, step: Row, inputs: Iterable[Row]) -> None:
        """Code acts before a model sees the signal, and what rules have made is nobody's to think about."""
        for one in inputs:
            if one.namespace == Namespace.TOOL_RESULT and str(one.data["origin"]).startswith("act:"):
                self._watch.wrong(f"step {step.id} takes the result of {one.id}, which a rule has made")
            if one.namespace.startswith("signals.") and self._matches(one):
                done = self._rows.get((Namespace.RULE_MATCH, f"{one.namespace}:{one.id}"))
                if done is None or done.seq > step.seq:
                    self._watch.wrong(f"step {step.id} takes {one.id} before its rules were looked after")

    @staticmethod
    def _matches(signal: Row) -> list[Match]:
        return [match for match in matches_of(signal.data["metadata"]) if match.acts]

    # ------------------------------------------------------------------------------------------- at the drain

    def unfinished(self) -> list[str]:
        """What code still has to come to an end with."""
        found = [
            f"act {row.id} {row.data['state']}"
            for row in self._of(Namespace.RULE_ACT)
            if row.data["state"] == "pending" or (row.data["state"] == "deferred" and row.data["act"] != "ask")
        ]
        now = self._watch.now()
        waits = [row for row in self._of(Namespace.FOLLOW_UP) if row.data["state"] == "open"]
        waiting = [row for row in waits if not row.data["quiet"] or row.data["due"] < now]  # others wait for days
        return found + [f"{row.id} waits until {row.data['due'] - now:+.0f} s" for row in waiting]

    def at_drain(self) -> None:
        wrong = self._watch.wrong
        for row in self._of(Namespace.RULE_ACT):
            if self._watch.elapsed() - self._watch.stored_at[self._begun(row)] >= JUST_NOW:
                self._check_end(row)
        signals = [row for (space, _), row in self._rows.items() if space.startswith("signals.")]
        for signal in signals:
            if self._watch.elapsed() - self._watch.stored_at[signal.seq] >= JUST_NOW:
                self._check_done(signal)
        for row in self._of(Namespace.NOTIFICATION):
            if row.metadata.get("withdrawn") == TOLD_BEFORE and not self._told(row):
                wrong(f"the notice {row.id} is withdrawn as told before, and nothing tells it")
        for row in self._of(Namespace.FOLLOW_UP):
            state = row.data["state"]
            if state == "open" and row.data["due"] < self._watch.now() - JUST_NOW:
                wrong(f"{row.id} is open, {self._watch.now() - row.data['due']:.0f} s past its due")
            elif state == "open" and (answer := self._answer_to(row)):
                wrong(f"{row.id} is open, and {answer.id} answers it")
            elif state == "due" and (answer := self._answer_in_time(row)):
                wrong(f"{row.id} fell due, and its answer {answer.id} had come in time")
            elif state == "due" and self._watch.now() - row.data["ended_at"] > JUST_NOW:
                notify = act_id(row.data["rule"], f"follow-up {row.id}", f"signals.follow_up:signal_{row.id}", "notify")
                if (Namespace.RULE_ACT, notify) not in self._rows:
                    wrong(f"{row.id} fell due, and no notice says so")

    def _begun(self, row: Row) -> int:
        done = self._rows.get((Namespace.RULE_MATCH, row.data["match"]))
        return done.seq if done is not None else row.seq

    def _check_end(self, row: Row) -> None:
        state, detail, act = row.data["state"], row.data["detail"], row.data["act"]
        wrong = self._watch.wrong
        if state == "pending":
            wrong(f"the act {row.id} is pending at the end")
        elif state == "deferred" and not (act == "ask" and detail == NO_MODEL and self._watch.offline):
            wrong(f"the act {row.id} is deferred at the end: {detail}")
        elif state == "failed":
            told = f"ntf_{hashlib.sha256(row.id.encode()).hexdigest()[:24]}_failed"
            if (Namespace.NOTIFICATION, told) not in self._rows:
                wrong(f"the act {row.id} has failed, and nobody is told")
            if "disk" in detail:
                wrong(f"the act {row.id} was given up because of the disk: {detail}")
        made = self._ref(row.data["made"]) if row.data["made"] else None
        if state == "done" and (made is None or made.namespace != MADE[act]):
            wrong(f"the act {row.id} is done and has made {row.data['made'] or 'nothing'}")
        if (
            state == "withdrawn"
            and act == "notify"
            and not any(
                self._told(one) for one in self._of(Namespace.NOTIFICATION) if one.data["source"] == row.data["match"]
            )
        ):
            wrong(f"the act {row.id} is withdrawn ({detail}), and nothing tells it")

    def _check_done(self, signal: Row) -> None:
        ref = f"{signal.namespace}:{signal.id}"
        wanted = [(match, kind) for match in self._matches(signal) for kind in match.acts]
        for match, kind in wanted:
            if (Namespace.RULE_ACT, act_id(match.rule, match.version, ref, kind)) not in self._rows:
                self._watch.wrong(f"the rule {match.rule} orders {kind} for {ref}, and that is lost")
        if wanted and (Namespace.RULE_MATCH, ref) not in self._rows:
            self._watch.wrong(f"the rules of {ref} were never looked after")
        told = any(kind in ("notify", "brief") for _, kind in wanted)
        counts = signal.data["priority"] in ("urgent", "high", "normal") and "vip" not in self._moody
        by_vip = (Namespace.RULE_ACT, act_id("vip", "1", ref, "notify"))
        if signal.data["metadata"].get("kind") == "vip" and counts and not told and by_vip not in self._rows:
            self._watch.wrong(f"{ref} is of a VIP, and nobody is told")
        if signal.namespace == "signals.mail":
            self._check_matched(signal)

    def _check_matched(self, signal: Row) -> None:
        """Plain rules of the config, read once more: what holds of a mail is there as a match."""
        facts, config = signal.data["metadata"], self._watch.config
        if facts.get("kind") == "own" or signal.data["reason"].startswith(SILENT):
            return
        there = {match.name for match in matches_of(facts)}
        subject = str(facts["subject"]).lower().split()
        for rule in (*config.rule, *config.watch):
            if (
                not rule.model_dump(exclude_defaults=True).keys() <= PLAIN
                or rule.name.lower().replace(" ", "-") in self._moody
            ):
                continue
            senders = [rule.sender] if isinstance(rule.sender, str) else rule.sender
            by = rule.source in ("", "mail") and (
                not any(senders) or any(str(facts["sender"]).endswith(one) for one in senders)
            )
            if by and (not rule.words or set(rule.words) & set(subject)) and rule.name not in there:
                self._watch.wrong(
                    f"the rule {rule.name!r} holds for {signal.id} ({signal.data['reason']}), and does not match"
                )
