"""Time: the clock that everything asks, timers, recurrence, and times in words."""

from pepper_tui.clock.clock import (
    ZONE_MEND,
    Clock,
    ManualClock,
    SystemClock,
    iso,
    local_locale,
    local_zone,
    zone_trouble,
)
from pepper_tui.clock.timers import Timers
from pepper_tui.clock.waits import either

__all__ = [
    "ZONE_MEND",
    "Clock",
    "ManualClock",
    "SystemClock",
    "Timers",
    "either",
    "iso",
    "local_locale",
    "local_zone",
    "zone_trouble",
]
