"""Sense: sources that write ``raw.*`` and processors that turn it into ``signals.*``; one file a source."""

from pepper_tui.domains.calendar.event import Event
from pepper_tui.feeds.agenda import Agenda
from pepper_tui.feeds.calendar_feed import CalendarFeed
from pepper_tui.feeds.clock_feed import ClockFeed
from pepper_tui.feeds.exec_feed import ExecFeed
from pepper_tui.feeds.feed import Feed, FeedContext, FeedError, Feeds, HealthReporter, store_signal
from pepper_tui.feeds.follow import FollowFeed
from pepper_tui.feeds.judging import Judging
from pepper_tui.feeds.mailbox import Mailbox
from pepper_tui.feeds.maildir import MaildirFeed
from pepper_tui.feeds.mbox import MboxFeed
from pepper_tui.feeds.own import OwnFeed, load_own_feed
from pepper_tui.feeds.triage import Triage, Verdict

__all__ = [
    "Agenda", "CalendarFeed", "ClockFeed", "Event", "ExecFeed", "Feed", "FeedContext", "FeedError", "Feeds",
    "FollowFeed", "HealthReporter", "Judging", "Mailbox", "MaildirFeed", "MboxFeed", "OwnFeed", "Triage",
    "Verdict", "load_own_feed", "store_signal",
]  # fmt: skip
