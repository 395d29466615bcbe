"""What the user ordered: rules, their matches, and acts that code carries out, with any model or none.

A rule is a condition and acts. Feeds ask the ``RuleBook`` which rules hold for new input, and write these into the
signal as matches, each with everything its acts need. ``RuleRunner``, a durable subscription on signals, carries the
acts out before a model sees the signal. Each act is a separate record: done once, or deferred, failed or withdrawn,
with the reason in words.
"""

from pepper_tui.rules.acting.follow_ups import FollowUps
from pepper_tui.rules.acting.hands import Hands
from pepper_tui.rules.acting.runner import RuleRunner
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.changes import RuleChanges
from pepper_tui.rules.configured import rules_of_config
from pepper_tui.rules.errors import RuleError
from pepper_tui.rules.rehearsal import Rehearsal
from pepper_tui.rules.report import acts_of, reports
from pepper_tui.rules.senders import Sender, Senders
from pepper_tui.rules.sentence import sentence
from pepper_tui.rules.toml_text import as_toml

__all__ = [
    "FollowUps",
    "Hands",
    "Rehearsal",
    "RuleBook",
    "RuleChanges",
    "RuleError",
    "RuleRunner",
    "Sender",
    "Senders",
    "acts_of",
    "as_toml",
    "reports",
    "rules_of_config",
    "sentence",
]
