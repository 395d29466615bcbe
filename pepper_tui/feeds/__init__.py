"""Sensing, whatever the source: feeds and their health, triage into ``signals.*``, followed conversations."""

from pepper_tui.feeds.feed import Feed, FeedContext, FeedError, Feeds, HealthReporter, store_signal
from pepper_tui.feeds.follow import FollowFeed
from pepper_tui.feeds.llm_triage import LlmTriage
from pepper_tui.feeds.triage import Triage, Verdict

__all__ = [
    "Feed",
    "FeedContext",
    "FeedError",
    "Feeds",
    "FollowFeed",
    "HealthReporter",
    "LlmTriage",
    "Triage",
    "Verdict",
    "store_signal",
]
