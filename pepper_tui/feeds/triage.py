"""Facts about what came in, to how urgent it is, why, and what the user wants done then. Rules only, never a guess.

The order: a rule of the user's own, what is known to need nobody (sent by the user, junk), watches, lists and automatic
mail, VIPs, addressed to me. Every verdict has a reason in plain words. All watches that hold count: the most urgent
priority stands, each is named in the reason, and each act is done once, as the first watch that asks for it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pepper_tui.config import Config, Watch
from pepper_tui.model import Facts, Json, Priority
from pepper_tui.text import one_line

READ: Final = 20_000  # characters of a text in which words are looked for
_URGENCY: Final = list(Priority)  # the most urgent first
_SILENT_FOLDERS: Final = {"junk", "spam", "trash", "drafts", "deleted", "deleted items", "bulk"}


class Verdict(NamedTuple):
    priority: Priority
    reason: str
    action: Json | None = None


Rule = Callable[[Facts], Verdict | None]


class Triage:
    """The user's rules. ``rules`` are functions asked first; the first verdict counts."""

    def __init__(self, config: Config, rules: Sequence[Rule] = (), *, judged: bool = False) -> None:
        """``judged``: there is a model to judge what the rules leave open."""
        self._config, self._judged = config, judged
        self._rules = rules
        self._own = {address.lower() for address in (*config.user.addresses, config.sender_address) if address}
        self._words = {word: _whole(word) for watch in config.watch for word in watch.words}

    def judge(self, facts: Facts) -> Verdict:
        for rule in self._rules:
            if (verdict := rule(facts)) is not None:
                return verdict
        if facts.source == "mail" and self.is_own(facts.sender):
            return Verdict(Priority.LOG, "you sent it")
        who = one_line(facts.name or facts.sender or "an unknown sender", 60)
        if junk := next((one for one in facts.labels if one.lower() in _SILENT_FOLDERS), ""):
            return Verdict(Priority.LOG, f"in the folder {one_line(junk, 40)}")
        if watches := self.matching(facts):
            reason = "; ".join(self._watch_reason(watch, facts) for watch in watches)
            return Verdict(min((watch.priority for watch in watches), key=_URGENCY.index), reason, self.action(watches))
        if facts.source == "mail":
            return self._mail(facts, who)
        if self.is_vip(facts.sender):
            return Verdict(Priority.HIGH, f"from {who}, a VIP")
        return Verdict(facts.priority, facts.reason or f"new in {facts.source}")

    def leaves_open(self, facts: Facts) -> bool:
        """Whether the verdict on ``facts`` rests on its address lines alone, and a model can look at the rest."""
        if not self._judged or facts.source != "mail" or facts.automatic or self.is_own(facts.sender):
            return False
        settled = self.is_vip(facts.sender) or bool(self.matching(facts))
        return not settled and self.judge(facts).priority in (Priority.NORMAL, Priority.LOW)

    def is_own(self, address: str) -> bool:
        """Whether ``address`` is one of the user's own."""
        return address in self._own

    def is_vip(self, address: str) -> bool:
        """Whether the user has named ``address``, or its domain, as one that always matters."""
        return bool(address) and is_one_of(address, self._config.user.vips)

    def matching(self, facts: Facts) -> list[Watch]:
        """The watches that hold, in the order of the config."""
        return [watch for watch in self._config.watch if self._holds(watch, facts)]

    def briefs(self) -> list[Watch]:
        """The watches that ask for a brief before an event."""
        return [watch for watch in self._config.watch if watch.brief]

    def action(self, watches: Sequence[Watch]) -> Json | None:
        """What ``watches`` want done, one act of a kind; ``None`` where they only set a priority."""
        acting = [w for w in watches if w.notify or w.draft or w.brief or w.follow or w.remind]
        if not acting:
            return None
        draft = next((w.draft for w in acting if w.draft), "")
        return {
            "watch": ", ".join(w.name for w in acting),
            "notify": any(w.notify for w in acting),
            "draft": draft,
            "template": self._config.mail.templates.get(draft, "") if draft else "",
            "brief": next((w.brief for w in acting if w.brief), 0),
            "follow": next((w.follow for w in acting if w.follow), 0.0),
            "remind": next((w.remind for w in acting if w.remind), ""),
        }

    def _mail(self, facts: Facts, who: str) -> Verdict:
        if facts.automatic:
            return Verdict(Priority.LOG, "an automatic mail")
        if self.is_vip(facts.sender):
            return Verdict(Priority.HIGH, f"from {who}, a VIP")
        if facts.is_list:
            return Verdict(Priority.LOW, "from a mailing list")
        if self._own.intersection(facts.to):
            return Verdict(Priority.NORMAL, "addressed to you")
        if self._own.intersection(facts.cc):
            return Verdict(Priority.LOW, "you are in Cc")
        return Verdict(Priority.LOW, "not addressed to you directly" if self._own else "no address of yours is set")

    def _holds(self, watch: Watch, facts: Facts) -> bool:
        if not (watch.source or watch.sender or watch.words or watch.thread or watch.label):
            return False  # a watch without a condition would be one for everything
        text = facts.subject + "\n" + facts.text[:READ]
        return (
            (not watch.source or watch.source == facts.source)
            and (not watch.sender or is_one_of(facts.sender, [watch.sender]))
            and (not watch.words or any(self._words[word].search(text) for word in watch.words))
            and (not watch.thread or watch.thread.casefold() in facts.subject.casefold())
            and (not watch.label or watch.label.casefold() in (one.casefold() for one in facts.labels))
        )

    def _watch_reason(self, watch: Watch, facts: Facts) -> str:
        said: list[str] = []
        if watch.sender:
            said.append(f"from {one_line(facts.sender, 80)}")
        if watch.words:
            text = facts.subject + "\n" + facts.text[:READ]
            said.append("says " + next((repr(w) for w in watch.words if self._words[w].search(text)), ""))
        if watch.thread:
            said.append(f"thread {watch.thread!r}")
        if watch.label:
            said.append(f"label {watch.label!r}")
        return f"your watch {watch.name!r}" + (f": {', '.join(said)}" if said else "")


def _whole(word: str) -> re.Pattern[str]:
    spaced = r"\s+".join(re.escape(part) for part in word.split())
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)


def is_one_of(address: str, wanted: Sequence[str]) -> bool:
    """Whether ``address`` is one of ``wanted``: an address, or a domain written ``@example.com``."""
    address = address.lower()
    return bool(address) and any(
        address.endswith(one.lower()) if one.startswith("@") else address == one.lower() for one in wanted
    )
