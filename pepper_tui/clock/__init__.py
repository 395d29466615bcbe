"""Time: the clock that everything asks, recurrence, and times in words."""

from pepper_tui.clock.clock import Clock, ManualClock, SystemClock, iso, local_locale, local_zone

__all__ = ["Clock", "ManualClock", "SystemClock", "iso", "local_locale", "local_zone"]
