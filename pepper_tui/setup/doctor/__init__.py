"""What `pepper doctor` looks at: each part of a home, its state in words, and how to fix it.

It reads and asks, and changes nothing. ``finding`` says what a check is, ``examination`` which there are; each other
file is the check of its noun.
"""

from pepper_tui.connectors.finding import Check, Finding, Patient, in_words
from pepper_tui.setup.doctor.examination import CHECKS, examine

__all__ = ["CHECKS", "Check", "Finding", "Patient", "examine", "in_words"]
