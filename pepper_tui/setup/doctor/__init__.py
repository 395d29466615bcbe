"""The checks of `pepper doctor`: each part of a home, its state in words, and how to fix it.

They read and ask, and change nothing. ``finding`` defines a check, ``examination`` lists them all; each other file is
the check of its noun.
"""

from pepper_tui.connectors.finding import Check, Finding, Patient, in_words
from pepper_tui.setup.doctor.examination import CHECKS, examine

__all__ = ["CHECKS", "Check", "Finding", "Patient", "examine", "in_words"]
