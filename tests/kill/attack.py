"""One attack: a seeded world, some lives that end in SIGKILL, one that may drain, and what the checker finds."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

from pepper_tui.model import CallState, Json
from tests.connectors.mcp.bench import UNRULY
from tests.domains.mail.mails import mail
from tests.kill.calendars.calendars import TOOLS as CALENDAR_TOOLS
from tests.kill.calendars.calendars import Calendars
from tests.kill.calendars.organizer import replies
from tests.kill.filing import CALL, Filing
from tests.kill.google import GmailMailbox
from tests.kill.mailbox import ImapMailbox, Mailbox, MaildirMailbox
from tests.kill.mind import NaiveMind
from tests.kill.outside import MoodySmtp, tag_of
from tests.kill.victim import live, outside_file
from tests.stored import stored

COUNTED: Final = ("commit_before", "commit_after")
NAMED: Final = ("signal_stored", "step_before_commit", "step_after_commit", "approval_open", "attempt_committed",
                "data_sent", "card_returned", "question_open", "outside_before", "outside_after", "mcp_before",
                "mcp_after", "mails_filed")  # fmt: skip
MAIL_ACTS: Final = ("draft", "notify", "quiet", "write", "delegate", "remind", "quiet", "ordered", "ordered", "ordered",
                    "oldform")  # fmt: skip
USER_ACTS: Final = (
    "say",
    "remind",
    "send",
    "send",
    "write",
    "lostwrite",
    "delegate",
    "agent",
    "slow",
    "fail",
    "note",
    "mcpwrite",
    "mcpwrite",
    "mcplost",
    "rule",
    "ask",
    "event",
    "eventcal",
    "eventdates",
    "eventfile",
    "moveevent",
    "moveevent",
    "dropevent",
)
SENDERS: Final = {"urgent": "ursula@example.com", "high": "hanna@example.com", "low": "lou@example.com",
                  "normal": "norbert@example.com"}  # fmt: skip
THERE_BEFORE: Final = 6  # mails that lie there at first sight, of which nothing is told
READY: Final = 20.0
LONGEST_DRAIN: Final = 900.0
DRAIN: Final = 90.0
WINDOWS: Final = (10.0, 0.4, 0.0)  # seconds, by the seed; the first is what Pepper comes with
PATIENCE: Final = 4.0  # seconds for a life to come to its boundary
OUTLIVED: Final = 15.0  # seconds by which a process may outlive its Pepper; it is ended politely first

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.kill.victim", "openai", "lark", "icalendar", "aiosmtplib",
                                  "pepper_tui.connectors.mcp.session.connection"])  # fmt: skip


@dataclass
class Given:
    """What was handed over, and what is known of its acceptance."""

    said: dict[str, str] = field(default_factory=dict)  # tag -> id that `say` returned, empty where killed before
    mails: dict[str, str] = field(default_factory=dict)  # tag -> sender's priority
    approvals: dict[str, float] = field(default_factory=dict)  # approval id -> when `approve` was first asked for
    edits: set[str] = field(default_factory=set)  # the marks of edits that were said to be saved


@dataclass
class Life:
    """One process and the pipe to it."""

    process: ForkServerProcess
    pipe: Connection
    session: int
    number: int = 0
    waiting: dict[int, tuple[str, list[Any]]] = field(default_factory=dict)

    def ask(self, act: str, *arguments: Any) -> bool:
        """Send an act; false where the process is gone."""
        self.number += 1
        self.waiting[self.number] = (act, list(arguments))
        try:
            self.pipe.send((self.number, act, list(arguments)))
        except OSError:
            return False
        return True

    def answers(self, seconds: float = 0.0) -> list[tuple[str, list[Any], Any]]:
        """What came back so far: act, arguments, answer."""
        found = []
        with contextlib.suppress(EOFError, OSError):
            while self.pipe.poll(seconds):
                seconds = 0.0
                number, answer = self.pipe.recv()
                act, arguments = self.waiting.pop(number, (str(answer), []))
                found.append((act, arguments, answer))
        return found


def every_boundary() -> list[str]:
    """Each boundary that a life may die at, in turn: commits by their number, the others at their first and second."""
    counted = [f"{name}:{number}" for number in range(1, 61) for name in COUNTED]
    return counted + [f"{name}:{number}" for number in (1, 2) for name in NAMED]


class Attack:
    """``run`` it; then ``problems`` says what did not hold, and ``kills`` how often SIGKILL fell.

    ``boundaries`` are where its lives end, in turn; without any, the seed draws boundaries and random moments.
    """

    def __init__(
        self, folder: Path, seed: int, kills: int, boundaries: Sequence[str] = (), suspend: float = 0.0
    ) -> None:
        self.folder, self.seed, self.wanted = folder, seed, kills
        self.filing = Filing(self)
        self.began = False  # whether Pepper has looked at all of it once
        self.began_at = 0
        # a clock that is set back makes mail of a folder that is counted anew look older than its first sight
        self._shifts = seed % 8 not in (1, 6)
        self._life: Life | None = None
        self._suspend = suspend  # seconds that the first sleep of the machine lasts; 0: as drawn
        self.boundaries = deque(boundaries)
        self.chance = random.Random(seed)
        self.home = folder / "home"
        self.faults = 0.0 if seed % 2 else 0.06
        self.window = WINDOWS[seed % len(WINDOWS)]
        self._edits = 0
        self.calendars = Calendars(self)
        self._asked: list[tuple[str, str]] = []  # mails that a rule follows up: tag and sender
        self.mind = NaiveMind(seed, self.faults)
        self.smtp = MoodySmtp()
        self.mailbox: Mailbox
        self.given = Given()
        self.kills = 0
        self.orphans = 0
        self.hidden = 0
        self.stopped = 0
        self.done = 0
        self.points: Counter[str] = Counter()
        self.problems: list[str] = []
        self._count = 0
        self._offset = 0.0
        self._acted: set[tuple[str, str]] = set()

    # ------------------------------------------------------------------------------------------------------- a world

    def _prepare(self) -> None:
        self.home.mkdir(mode=0o700, parents=True)
        (self.folder / "mcp").mkdir()
        # half of the seeds with models that fail, and half of the others, have an account at an IMAP server
        kinds: tuple[type[Mailbox], ...] = (GmailMailbox, ImapMailbox, ImapMailbox, MaildirMailbox)
        self.mailbox = kinds[self.seed % 4](self.folder, self.smtp.port)  # type: ignore[call-arg]
        self.mailbox.begin()
        self.calendars.begin()
        watches = "".join(
            f'[[watch]]\nname = "{priority}"\nsender = "{sender}"\npriority = "{priority}"\n'
            for priority, sender in SENDERS.items()
            if priority != "normal"  # what no rule settles is judged by the model first
        )
        (self.home / "config.toml").write_text(
            f"""
[user]
name = "Sam"
addresses = ["me@example.org"]
zone = "Europe/Berlin"
[models]
name = "naive"
base_url = "{self.mind.url}"
api_key = ""
first_byte_timeout = 5.0
retry_base = 0.05
retry_cap = 0.2
[scheduler]
max_rounds = 1000
[judging]
wait = 0.05
{"" if self.window == WINDOWS[0] else f"[tools]{chr(10)}undo_seconds = {self.window}"}
{self.mailbox.config}
{self.calendars.config}
[mail.templates]
ack = "body {{subject}}"
nudge = "body N{{subject}}"
[mcp.own]
command = "{sys.executable}"
args = ["-S", "-E", "{UNRULY}"]
env = {{ UNRULY_FOLDER = "{self.folder / "mcp"}" }}
[[rule]]
name = "orders"
words = ["ordered"]
notify = true
draft = "ack"
remind = "in 2 seconds"
follow_up = 0.001
nudge = "nudge"
[[rule]]
name = "unanswered"
after = "orders"
remind = "in 3 seconds"
[[rule]]
name = "clockwork"
every = 1800
notify = true
brief = true
[[watch]]
name = "old form"
words = ["oldform"]
draft = "ack"
follow = 0.002
{watches}"""
        )
        self.mailbox.sign_in(self.home)
        for place in self.calendars.places:
            place.sign_in(self.home)
        for _ in range(THERE_BEFORE):
            self._deliver("quiet")

    def facts(self, namespace: str) -> list[Json]:
        """The current data of a namespace, oldest first, with its tags as ``_tags``."""
        return [{**data, "_tags": tags} for data, tags in stored(self.home, namespace)]

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.home / 'pepper.db'}?mode=ro", uri=True, timeout=10) as db:
            return db.execute(query).fetchall()

    # --------------------------------------------------------------------------------------------------- one life

    def _begin(self, kill_at: str = "") -> Life:
        ours, theirs = _context.Pipe()
        process = _context.Process(target=live, args=(self.home, theirs, self._offset, kill_at), daemon=True)
        process.start()
        theirs.close()
        assert process.pid is not None
        self._life = Life(process, ours, process.pid)
        return self._life

    def kill_now(self) -> None:
        """Kill the life that is on, from within the outside world."""
        if self._life is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._life.session, signal.SIGKILL)

    def _kill(self, life: Life) -> None:
        self._life = None
        with contextlib.suppress(ProcessLookupError):
            os.kill(life.session, signal.SIGKILL)
        life.process.join(10)
        self._take(life)
        life.pipe.close()
        self.kills += 1
        left = self._left_by(life)
        self.orphans += len(left)
        for orphan in left:
            os.kill(orphan, signal.SIGKILL)

    def _left_by(self, life: Life) -> list[int]:
        """Processes that do not end with their Pepper: of its session, MCP servers and their keepers."""
        deadline = time.monotonic() + OUTLIVED
        while left := members_of(life.session) + processes_with(f"UNRULY_FOLDER={self.folder / 'mcp'}"):
            if time.monotonic() > deadline:
                self.problems.append(f"orphan: {', '.join(map(command_of, left))}")
                break
            time.sleep(0.02)
        return left

    def _take(self, life: Life, seconds: float = 0.0) -> list[tuple[str, list[Any], Any]]:
        found = life.answers(seconds)
        for act, arguments, answer in found:
            if act == "say" and not str(answer).startswith("refused"):
                self.given.said[str(arguments[0]).split()[0]] = str(answer)
            if act == "edit" and str(answer).startswith("saved"):
                self.given.edits.add(next(iter(arguments[1].values())).split()[-1])
        return found

    def _ready(self, life: Life) -> bool:
        """Whether it came up (and, the first time, has looked at the mailbox); false where it died before."""
        deadline = time.monotonic() + READY
        up = False
        while time.monotonic() < deadline:
            up = up or any(act == "ready" for act, _, _ in self._take(life, 0.02))
            if not life.process.is_alive():
                return False
            self._look_around(up)
            if up and self.began:
                return True
        raise AssertionError(f"seed {self.seed}: not ready within {READY} s; see {self.folder}/victim.log")

    def _look_around(self, up: bool) -> None:
        """Note when Pepper has looked once at all that was there before."""
        if up and not self.began:
            feeds = {self.mailbox.feed, *(place.feed for place in self.calendars.places)}
            well = {part["part"] for part in self.facts("health") if part["state"] == "ok"}
            if feeds <= well and not self.calendars.differs():
                self.began = True
                self.began_at = int(self.sql("SELECT max(seq) FROM updates")[0][0])

    def run(self) -> None:
        self.smtp.start()
        self.mind.start()
        try:
            self._prepare()
            while self.kills < self.wanted:
                self._one_life()
            self._drain()
            from tests.kill.checker import check

            self.problems += check(self)
            self.done = sum(self.outside().values())
        finally:
            self.mailbox.end()
            self.calendars.end()
            self.mind.stop()
            self.smtp.stop()

    def _one_life(self) -> None:
        kill_at = self._point()
        if self.chance.random() < 0.1 and self._shifts:
            self._offset = self.chance.choice([-3600.0, 0.0, 0.0, 3600.0, 7200.0])
        life = self._begin(kill_at)
        early = 1.0 if kill_at else self.chance.random()
        if self.began and early < 0.25:  # while it starts
            time.sleep(early * 4)
            self.points["while starting"] += 1
            self._kill(life)
            return
        if not self._ready(life):
            self.points[kill_at.partition(":")[0]] += 1
            self._kill(life)
            return
        until = time.monotonic() + (PATIENCE if kill_at else self.chance.uniform(0.02, 1.2))
        while life.process.is_alive() and time.monotonic() < until:
            self._do_something(life)
            self._take(life, self.chance.uniform(0.0, 0.08))
        died = not life.process.is_alive()
        where = kill_at.partition(":")[0] or "in a command" if died else "a moment"
        self.points["a boundary not reached" if kill_at and not died else where] += 1
        self._kill(life)
        while self.chance.random() < 0.3:
            self._deliver()  # while nobody is there
        if self.chance.random() < 0.3:
            self.filing.elsewhere()
        if self.began and self.chance.random() < 0.4:
            self.calendars.act_alone()
        if not self._shifts and self.chance.random() < 0.2:
            self.filing.renumber()

    def _point(self) -> str:
        if self.boundaries:
            return self.boundaries.popleft()
        draw = self.chance.random()
        if draw < 0.35:
            return f"{self.chance.choice(COUNTED)}:{self.chance.randint(1, 60)}"
        if draw < 0.65:
            return f"{self.chance.choice(NAMED)}:{self.chance.randint(1, 3)}"
        return ""

    # ------------------------------------------------------------------------------------------------- what is done

    def _do_something(self, life: Life) -> None:
        draw = self.chance.random()
        if draw < 0.25:
            self._do_with_mails(life)
            return
        if draw < 0.5:
            self.calendars.act(life)
            return
        draw = self.chance.random()
        if draw < 0.3:
            self._deliver()
        elif draw < 0.6:
            self._say(life)
        elif draw < 0.9:
            self._decide(life)
        elif draw < 0.93:
            self._stop_and_go(life)
        elif draw < 0.95:
            for turn in self.chance.choice([["undo"], ["undo", "redo"], ["undo", "undo", "redo"], ["redo"]]):
                life.ask(turn)
        elif draw < 0.96 and self._shifts:
            self._offset = self.chance.choice([-3600.0, 0.0, 3600.0])
            life.ask("shift", self._offset)
        elif draw < 0.985:
            self._answer(life)
        else:
            self._clear(life)

    def _do_with_mails(self, life: Life) -> None:
        draw = self.chance.random()
        if draw < 0.5:
            self.filing.by_key(life)
        elif draw < 0.65:
            self.filing.elsewhere()
        elif draw < 0.95:
            self.mailbox.disturb(self.chance, self.kill_now)
        elif not self._shifts:
            with self._standing_still(life):
                self.filing.renumber()

    def _answer(self, life: Life) -> bool:
        """Answer a question of Pepper's, by a key or in words; whether there was one."""
        asked = [one for one in self.facts("notification") if "open" in one["_tags"] and one["kind"] == "question"
                 and not one["source"].startswith("signals.calendar:")]  # fmt: skip
        if not asked:
            return self.calendars.answer(life)
        one = self.chance.choice(asked)
        ref = f"notification:{one['id']}"
        life.ask("choose", ref, 2) if self.chance.random() < 0.6 else life.ask("answer", ref, "neither")
        return True

    def _deliver(self, act: str = "") -> None:
        self._count += 1
        tag, priority = f"M{self._count}", self.chance.choice(list(SENDERS))
        act, headers = act or self.chance.choice(MAIL_ACTS), {"Message_ID": f"<{tag}@example.com>"}
        if self._asked and self.chance.random() < 0.15:  # an answer to what is followed up
            (answered, priority), act = self.chance.choice(self._asked[-3:]), "quiet"
            headers["In_Reply_To"] = headers["References"] = f"<{answered}@example.com>"
        elif act in ("ordered", "oldform"):
            self._asked.append((tag, priority))
        content = mail(
            sender=f"P <{SENDERS[priority]}>", subject=f"{tag} {act}", text="As it says.", number=self._count, **headers
        )
        self.given.mails[tag] = priority
        self.mailbox.deliver(content, self._count)

    def invite(self) -> None:
        """A mail about an event that somebody asks the user to."""
        self._count += 1
        tag = f"M{self._count}"
        self.given.mails[tag] = "normal"
        self.mailbox.deliver(self.calendars.organizer.mail(tag, self._count), self._count)

    def _say(self, life: Life) -> None:
        self._count += 1
        tag, act = f"U{self._count}", self.chance.choice(USER_ACTS)
        about = self.calendars.named() if act in ("moveevent", "dropevent") else ""
        self.given.said[tag] = ""
        life.ask("say", f"{tag} {act} {about}".strip())

    def _decide(self, life: Life, *, finally_: bool = False) -> bool:
        """Decide a card that waits, somehow; whether there was one."""
        cards = [card for card in self.facts("approval") if card["state"] == "pending"]
        if not cards:
            return False
        card = self.chance.choice(cards)
        draw = self.chance.random()
        fields = {line["label"].lower(): line["value"] for line in card["effect"]["lines"] if line["editable"]}
        if draw < 0.15:
            life.ask("reject", card["id"])
        elif draw < 0.3 and fields and ("edit", card["id"]) not in self._acted:
            self._edit(life, card["id"], fields)
        elif draw < 0.35 and not finally_:
            life.ask("snooze", f"approval:{card['id']}", "in 2 seconds")
        else:
            self.given.approvals.setdefault(card["id"], time.time())
            for _ in range(self.chance.choice([1, 1, 2])):
                life.ask("approve", card["id"])
            if not finally_ and self.chance.random() < 0.25:
                life.ask("undo")  # within its window, or too late
                if self.chance.random() < 0.3:
                    life.ask("redo")  # which never says yes again
            if not finally_ and fields and self.chance.random() < 0.2:
                self._edit(life, card["id"], fields)
        return True

    def _edit(self, life: Life, card: str, fields: dict[str, str]) -> None:
        self._acted.add(("edit", card))
        self._edits += 1
        field = next(each for each in ("body", "line", "notes") if each in fields)
        life.ask("edit", card, {field: f"{fields[field].rstrip()} edit{self._edits}"})

    def _stop_and_go(self, life: Life) -> None:
        """A machine that sleeps."""
        drawn = self.chance.uniform(0.05, 0.3)
        with self._standing_still(life):
            time.sleep(self._suspend or drawn)
            self._suspend = 0.0

    @contextlib.contextmanager
    def _standing_still(self, life: Life) -> Iterator[None]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(life.session, signal.SIGSTOP)
            time.sleep(0.05)  # what is under way at a server comes to its end
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(life.session, signal.SIGCONT)
            self.stopped += 1

    def _clear(self, life: Life) -> None:
        notices = [one for one in self.facts("notification") if "open" in one["_tags"]]
        if notices:
            one = self.chance.choice(notices)
            act = self.chance.choice(["done", "dismiss", "snooze"])
            life.ask(act, f"notification:{one['id']}", *(["in 2 seconds"] if act == "snooze" else []))

    # ---------------------------------------------------------------------------------------------------- the drain

    def _drain(self) -> None:
        """Let it run until nothing is left to do."""
        self.mailbox.calm()
        self.calendars.calm()
        self._offset = 4 * 3600.0 if self._shifts else 0.0  # past every reminder, whatever the clock was set to
        life = self._begin()
        if not self._ready(life):
            raise AssertionError(f"seed {self.seed}: the last life did not start; see {self.folder}/victim.log")
        at_last, began = time.monotonic() + LONGEST_DRAIN, time.monotonic()
        quiet, still, since = 0, [""], began
        while quiet < 3:
            self._take(life, 0.1)
            self._look_at_unknown(life)
            waits = self._open_work()
            busy = self._decide(life, finally_=True) or self._answer(life) or bool(waits)
            quiet = 0 if busy else quiet + 1
            if waits != still:
                still, since = waits, time.monotonic()
            stands = time.monotonic() - since > DRAIN + self.window
            if stands or time.monotonic() > at_last or not life.process.is_alive():
                how = f"for {DRAIN:.0f} s nothing moved" if stands else "it has ended, or never comes to an end"
                self.problems.append(f"lost: still open, {how}: {waits}")
                break
        life.ask("end")
        life.process.join(15)
        if life.process.is_alive():
            self.problems.append("orphan: it does not end")
            os.kill(life.session, signal.SIGKILL)
        self.orphans += len(self._left_by(life))

    def _look_at_unknown(self, life: Life) -> None:
        for call in self.facts("tool.call"):
            if call["state"] != CallState.UNKNOWN or call["acknowledged"]:
                continue
            if "open" not in call["_tags"]:
                self.hidden += 1
                self.problems.append(f"hidden: call {call['id']} is unknown and nowhere shown")
            if ("unknown", call["id"]) not in self._acted and not self.filing.looks(call, life):
                self._acted.add(("unknown", call["id"]))
                filed = call["name"] == CALL
                answer = self.filing.answer(call) if filed else "happened" if self.happened(call) else "did_not"
                life.ask("answer_unknown", call["id"], self.chance.choice([answer, answer, "leave"]))

    def happened(self, call: Json) -> bool:
        """Whether the outside saw the effect of ``call``."""
        if call["name"] in CALENDAR_TOOLS:
            return self.calendars.happened(call)
        return self.outside()[tag_of_call(call, self.facts("raw.mail"))] > 0

    def outside(self) -> Counter[str]:
        """How often each tag's effect was done, edits counted with what they edit."""
        lines = []
        for path in (outside_file(self.home), self.folder / "mcp" / "effects"):
            lines += path.read_text().split("\n")[:-1] if path.exists() else []
        counts = Counter(line.split()[1] for line in lines)
        return counts + Counter(tag_of(mail) for mail in self.left() if not replies([mail]))

    def left(self) -> list[bytes]:
        """The mails that left, by whatever way."""
        return [*self.smtp.taken, *self.mailbox.sent()]

    def _open_work(self) -> list[str]:
        """What is not at its end yet."""
        left = [f"delivery {row}" for row in self.sql("SELECT * FROM deliveries WHERE state <> 'dead' LIMIT 5")]
        left += [
            f"call {call['id']} {call['name']} {call['state']}"
            for call in self.facts("tool.call")
            if call["state"] in {"scheduled", "attempted", "waiting_approval"}
            or (call["state"] == "unknown" and ("unknown", call["id"]) not in self._acted)
        ]
        left += [f"run {r['id']} {r['state']}" for r in self.facts("worker.run") if r["state"] in {"queued", "running"}]
        left += [f"act {a['id']} {a['state']}" for a in self.facts("rule.act") if a["state"] in {"pending", "deferred"}]
        left += [f"follow-up {f['id']}" for f in self.facts("follow_up") if f["state"] == "open"]
        left += [f"reminder {r['id']}" for r in self.facts("reminder") if r["state"] == "waiting"]
        left += [f"copy {copy['id']} {copy['state']}" for copy in self.facts("mail.copy") if self._is_open(copy)]
        left += [
            f"draft {draft['id']} {draft['state']}" for draft in self.facts("mail.draft") if "open" in draft["_tags"]
        ]
        seen = {str(raw["subject"]).split()[0] for raw in self.facts("raw.mail")}
        left += [f"mail {tag}" for tag in self.given.mails if tag not in seen]
        return left or self.filing.differs() or self.calendars.differs()

    def _is_open(self, copy: Json) -> bool:
        """Whether a copy is still to be kept: it is due, or it is known whether its mail has left."""
        ends = {noted["id"]: noted["call"] for noted in self.facts("mail.sent")}
        calls = {call["id"]: call["state"] for call in self.facts("tool.call")}
        known = calls.get(ends.get(copy["id"], "")) in {"succeeded", "failed", "cancelled"}
        return copy["state"] == "due" or (copy["state"] == "waiting" and known)


def tag_of_call(call: Json, mails: list[Json]) -> str:
    """The tag of the input that a call came from."""
    arguments = call["arguments"]
    for key in ("tag", "line", "body", "task", "text", "title", "subject", "question"):
        words = str(arguments.get(key, "")).replace("?", "").split()
        for word in words:
            if word.removeprefix("N")[:1] in ("U", "M") and word.removeprefix("N")[1:].isdigit():
                return word
    return "?"


def processes_with(variable: str) -> list[int]:
    """Processes that run and have exactly this in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError):
            if entry.name.isdigit() and variable.encode() in (entry / "environ").read_bytes().split(b"\0"):
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                found += [int(entry.name)] if state != "Z" else []
    return found


def command_of(pid: int) -> str:
    """What runs there, for a person to read."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(bytes(1))
        return f"{pid} {b' '.join(words).decode(errors='replace')[:200]}"
    return f"{pid} (gone)"


def members_of(session: int) -> list[int]:
    """Processes of a session that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found
