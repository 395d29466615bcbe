"""Orders about existing rules: list, show, pause, resume and remove, and the words for each."""

from __future__ import annotations

import contextlib
import re
from typing import Final, Literal

from pepper_tui.llm.offline.rule_conditions import MAIL, Doubt, bare_words, condition

Kind = Literal["rules", "rule", "new_rule", "pause_rule", "resume_rule", "remove_rule", "rule_unclear"]

_I: Final = re.IGNORECASE | re.DOTALL
WHEN: Final = r"(?:when(?:ever)?|if|as\s+soon\s+as|once|(?:each|every)\s+time)"
TELL: Final = r"(?:(?:tell|notify|alert|inform|warn|ping)\s+me|let\s+me\s+know|i\s+want\s+to\s+(?:know|hear))"
_RULE: Final = r"(?:rules?|watch(?:es)?)"
_THE: Final = r"(?:(?:the|my|your)\s+)?"
_X: Final = r"(?P<rule>\S.*?)"
_LATER: Final = r"(?:\s+(?:any\s*more|any\s+longer|again|now|for\s+now))*"
_ABOUT: Final = rf"(?:\s+(?:{WHEN}|about|of|on|with|for))?"


def patterns(*forms: str) -> tuple[re.Pattern[str], ...]:
    """Return the ``forms`` compiled."""
    return tuple(re.compile(pattern, _I) for pattern in forms)


def _of_rule(verbs: str, bare: str = "") -> tuple[str, ...]:
    """Return patterns for ``verbs`` on a named rule; ``bare`` verbs need no word for "rule"."""
    named = (rf"(?:{verbs})\s+{_THE}{_RULE}:?\s+{_X}{_LATER}", rf"(?:{verbs})\s+{_THE}{_X}\s+{_RULE}{_LATER}")
    return (*named, rf"(?:{bare})\s+{_THE}{_X}{_LATER}") if bare else named


NAMED: Final[dict[Kind, tuple[re.Pattern[str], ...]]] = {
    "rules": patterns(
        rf"(?:(?:list|show|what\s+are|which|see)(?:\s+(?:me|all|my|the|your|of))*\s+)?{_THE}(?:rules|watches)",
        r"(?:which|what)\s+(?:rules|watches)\s+(?:do\s+i\s+have|are\s+there|have\s+i(?:\s+got)?)",
        r"what\s+(?:do|are)\s+you\s+watch(?:ing)?(?:\s+for)?(?:\s+me)?",
    ),
    "resume_rule": patterns(
        *_of_rule(
            r"resume|unpause|unmute|continue|enable|restart|reactivate|(?:turn|switch)\s+on", "resume|unpause|unmute"
        ),
        rf"(?:watch|monitor)(?:\s+(?:out\s+)?for)?\s+{_X}\s+again",
        rf"{TELL}{_ABOUT}\s+{_X}\s+again",
        rf"start\s+watching(?:\s+for)?\s+{_X}\s+again",
    ),
    "pause_rule": patterns(
        *_of_rule(
            r"pause|mute|silence|suspend|disable|stop|(?:turn|switch)\s+off", "pause|mute|silence|suspend"
        ),
        rf"(?:stop|quit)\s+(?:watching|monitoring|tracking|looking)(?:\s+(?:out\s+)?for)?\s+{_X}{_LATER}",
        rf"(?:stop|quit)\s+(?:telling|notifying|alerting|informing|warning|briefing|bothering)\s+me{_ABOUT}\s+{_X}{_LATER}",
        rf"(?:do\s+not|don'?t|never)\s+(?:watch|(?:tell|notify|alert|inform|warn|brief|bother)\s+me){_ABOUT}\s+{_X}{_LATER}",
        rf"(?:i\s+)?(?:do\s+not|don'?t)\s+want\s+to\s+(?:hear|know){_ABOUT}\s+{_X}{_LATER}",
    ),
    "remove_rule": patterns(*_of_rule(r"remove|delete|forget|drop|cancel")),
    "rule": patterns(*_of_rule(r"show(?:\s+me)?|explain|what\s+does")),
}  # fmt: skip


def target(words: str) -> str:
    """Return the words that name a rule, without the sentence around them."""
    with contextlib.suppress(Doubt):
        if says := condition(words):
            return str(says["name"])
    bare = bare_words(re.sub(r"^(?:rule|watch)\s+", "", words, flags=re.I))
    return re.sub(rf"^{MAIL}\s+(?:from|about|by)\s+", "", bare, flags=re.I)
