"""What the calendar files say: events and their occurrences, in bounded time.

Rules that repeat by the second or minute (or make more than a day's hours a day) are refused, occurrences are capped,
and a look has a deadline. Times without a zone and whole days are in the user's zone.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final, cast

from pepper_tui.clock import Clock, Looks, SystemClock
from pepper_tui.model import Record

MAX_FILE: Final = 10_000_000  # bytes
MAX_EVENTS: Final = 20_000
MAX_OCCURRENCES: Final = 5_000  # of one look
MAX_FILES: Final = 2_000
DEADLINE: Final = 5.0  # seconds of one look
_STRANGE_RULES: Final = ("SECONDLY", "MINUTELY")


@dataclass(slots=True)
class Event(Record):
    """One occurrence, or (as the feed stores it) one event with its first occurrence. Times are POSIX seconds."""

    uid: str
    summary: str
    start: float
    end: float
    all_day: bool = False
    location: str = ""
    description: str = ""
    status: str = "CONFIRMED"
    organizer: str = ""
    attendees: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    calendar: str = ""  # name of the file
    recurrence: str = ""  # the original start of a moved occurrence, or the series' rule
    zone: str = ""
    busy: bool = True  # whether it takes the user's time: neither marked as free nor declined
    repeats: bool = False  # an occurrence of a series, as the series has it

    @property
    def cancelled(self) -> bool:
        return self.status == "CANCELLED"

    @property
    def key(self) -> str:
        """Names the event within all calendars: its uid and, for a single changed occurrence, that."""
        return hashlib.sha256(f"{self.calendar}\n{self.uid}\n{self.recurrence}".encode()).hexdigest()[:24]


@dataclass(slots=True)
class _Series:
    """The components of one uid in one file."""

    components: list[Any]
    calendar: str
    defect: str = ""


class Agenda:
    """The events of ``paths`` (.ics files, or folders of them). Each look first takes up what changed on disk."""

    def __init__(
        self, paths: list[Path], zone: tzinfo, addresses: Iterable[str] = (), clock: Clock | None = None
    ) -> None:
        """``addresses`` are the user's own: what one of them has declined takes no time."""
        self._paths = paths
        self._looks = Looks(clock or SystemClock())
        self._zone = zone
        self._addresses = frozenset(address.lower() for address in addresses)
        self._files: dict[Path, tuple[tuple[int, int], list[_Series], list[str]]] = {}
        self._lock = threading.Lock()
        self.defects: list[str] = []

    async def between(self, start: float, end: float) -> list[Event]:
        """Occurrences that touch [start, end), by start; cancelled ones are not there. POSIX seconds."""
        return await self._look(self._between, start, end)

    async def conflicts(self, start: float, end: float) -> list[tuple[Event, Event]]:
        """Pairs of events that overlap within [start, end), the one that begins first before the other."""
        from pepper_tui.feeds.conflicts import conflicts_among

        found = conflicts_among(await self.between(start, end))
        return [(one.first, one.second) for one in found if one.start < end and one.end > start]

    async def events(self) -> list[Event]:
        """Every event and changed occurrence once, as written, cancelled ones too."""
        return await self._look(self._events)

    async def _look(self, function: Any, *args: float) -> list[Event]:
        """Raises ``NoAnswerError``: that nothing could be read is not that there is nothing."""
        return cast(list[Event], await self._looks.look(", ".join(map(str, self._paths)), function, *args))

    def _events(self) -> list[Event]:
        with self._lock:
            found: list[Event] = []
            for series in self._load():
                for component in series.components:
                    if (event := self._event(component, series.calendar)) is not None:
                        rule = component.get("RRULE")
                        event.recurrence = _changed(component) or (rule.to_ical().decode() if rule else "")
                        found.append(event)
            return found

    def _between(self, start: float, end: float) -> list[Event]:
        with self._lock:
            until = time.monotonic() + DEADLINE
            found: list[Event] = []
            for series in self._load():
                if len(found) >= MAX_OCCURRENCES or time.monotonic() > until:
                    self.defects.append("too many events: not all are shown")
                    break
                moved = {_changed(one) for one in series.components} - {""}
                repeats = _repeats(series)
                for component in self._occurrences(series, start, end):
                    event = self._event(component, series.calendar)
                    if event is not None and not event.cancelled and event.start < end and event.end >= start:
                        event.repeats = repeats and event.recurrence not in moved
                        found.append(event)
            found.sort(key=lambda event: (event.start, event.uid))
            return found[:MAX_OCCURRENCES]

    def _occurrences(self, series: _Series, start: float, end: float) -> list[Any]:
        if not _repeats(series):
            return series.components
        import icalendar
        import recurring_ical_events

        calendar = icalendar.Calendar()
        for component in series.components:
            calendar.add_component(component)
        try:
            query = recurring_ical_events.of(calendar, skip_bad_series=True)
            # a day more on both sides: whole days and times without a zone are compared in UTC there
            day = timedelta(days=1)
            return list(
                query.between(datetime.fromtimestamp(start, UTC) - day, datetime.fromtimestamp(end, UTC) + day)
            )[:MAX_OCCURRENCES]
        except Exception as error:
            self.defects.append(f"{series.calendar}: a recurrence can't be read: {type(error).__name__}")
            return []

    # ------------------------------------------------------------------------------------------------------- files

    def _load(self) -> list[_Series]:
        paths: list[Path] = []
        self.defects = []
        for path in self._paths:
            paths.extend(sorted(path.glob("**/*.ics"))[:MAX_FILES] if path.is_dir() else [path])
        kept: dict[Path, tuple[tuple[int, int], list[_Series], list[str]]] = {}
        for path in paths:
            try:
                status = path.stat()
                sign = (status.st_mtime_ns, status.st_size)
                known = self._files.get(path)
                kept[path] = known if known and known[0] == sign else (sign, *self._parse(path))
            except FileNotFoundError:
                if path in self._paths:
                    self.defects.append(f"{path}: not there")
            except Exception as error:
                self.defects.append(f"{path}: can't be read: {type(error).__name__}: {error}")
                if path in self._files:  # half-written: what it said before holds until it can be read again
                    kept[path] = self._files[path]
        self._files = kept
        for _, _, defects in kept.values():
            self.defects.extend(defects)
        return [one for _, series, _ in kept.values() for one in series]

    @staticmethod
    def _parse(path: Path) -> tuple[list[_Series], list[str]]:
        import icalendar

        source = path.read_bytes()
        if len(source) > MAX_FILE:
            raise ValueError(f"larger than {MAX_FILE} bytes")
        if b"END:VCALENDAR" not in source.upper():
            raise ValueError("it has no end; is it being written?")
        by_uid: dict[str, list[Any]] = defaultdict(list)
        defects: list[str] = []
        count = 0
        for calendar in cast(list[Any], icalendar.Calendar.from_ical(source, multiple=True)):
            for component in calendar.walk("VEVENT"):
                count += 1
                if count > MAX_EVENTS:
                    defects.append(f"{path.name}: only the first {MAX_EVENTS} events were read")
                    break
                uid = str(component.get("UID", ""))[:500]
                if (refusal := _refusal(component)) != "":
                    defects.append(f"{path.name}: {uid}: {refusal}")
                else:
                    by_uid[uid].append(component)
        return [_Series(components, path.stem) for components in by_uid.values()], defects

    def _event(self, component: Any, calendar: str) -> Event | None:
        try:
            start = component.decoded("DTSTART")
            begins, ends = self._times(start, _end(component, start))
            all_day = not isinstance(start, datetime)
            categories = component.get("CATEGORIES", [])
            attendees = component.get("ATTENDEE", [])
            return Event(
                uid=str(component.get("UID", ""))[:500],
                summary=str(component.get("SUMMARY", ""))[:500],
                start=begins,
                end=ends,
                all_day=all_day,
                location=str(component.get("LOCATION", ""))[:500],
                description=str(component.get("DESCRIPTION", ""))[:10_000],
                status=str(component.get("STATUS", "CONFIRMED")).upper()[:20],
                organizer=_address(component.get("ORGANIZER", "")),
                attendees=[_address(one) for one in (attendees if isinstance(attendees, list) else [attendees])][:100],
                categories=[
                    str(name)[:100]
                    for group in (categories if isinstance(categories, list) else [categories])
                    for name in getattr(group, "cats", [group])
                ][:50],
                calendar=calendar,
                recurrence=_changed(component),
                zone=str(component["DTSTART"].params.get("TZID", "")),
                busy=self._is_busy(component),
            )
        except Exception as error:
            self.defects.append(f"{calendar}: an event can't be read: {type(error).__name__}")
            return None

    def _is_busy(self, component: Any) -> bool:
        free = (str(component.get("TRANSP", "")).upper(), str(component.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper())
        if free[0] == "TRANSPARENT" or free[1] == "FREE":
            return False
        attendees = component.get("ATTENDEE", [])
        return not any(
            _address(one) in self._addresses and str(one.params.get("PARTSTAT", "")).upper() == "DECLINED"
            for one in (attendees if isinstance(attendees, list) else [attendees])
        )

    def _times(self, start: Any, end: Any) -> tuple[float, float]:
        """Start and end as POSIX seconds; where a change of clocks skips the start, it is as long as on other days."""
        begins, ends = self._seconds(start), self._seconds(end)
        if ends <= begins and isinstance(start, datetime) and start.tzinfo == end.tzinfo:
            ends = max(ends, begins + (end.replace(tzinfo=None) - start.replace(tzinfo=None)).total_seconds())
        return begins, ends

    def _seconds(self, when: Any) -> float:
        if not isinstance(when, datetime):
            when = datetime(when.year, when.month, when.day, tzinfo=self._zone)
        elif when.tzinfo is None:
            when = when.replace(tzinfo=self._zone)
        return float(when.timestamp())


def _end(component: Any, start: Any) -> Any:
    if "DTEND" in component:
        end = component.decoded("DTEND")
        if isinstance(end, datetime) == isinstance(start, datetime):
            return end
    if "DURATION" in component:
        return start + component.decoded("DURATION")
    return start if isinstance(start, datetime) else cast(date, start) + timedelta(days=1)


def _repeats(series: _Series) -> bool:
    return any("RRULE" in one or "RDATE" in one for one in series.components)


def _changed(component: Any) -> str:
    one = component.get("RECURRENCE-ID")
    return one.to_ical().decode() if one is not None else ""


def _address(value: Any) -> str:
    return str(value).lower().removeprefix("mailto:").strip()[:320]


def _interval(rule: Any) -> int:
    said = str(next(iter(rule.get("INTERVAL", [1])), 1))
    return int(said) if said.isdecimal() and int(said) else 1


def _refusal(component: Any) -> str:
    rules = component.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if str(next(iter(rule.get("FREQ", [""])), "")).upper() in _STRANGE_RULES:
            return "repeats by the second or minute; refused"
        hourly = str(next(iter(rule.get("FREQ", [""])), "")).upper() == "HOURLY" and "BYHOUR" not in rule
        often = 24 // min(24, _interval(rule)) if hourly else 1
        for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            values = rule.get(part, [])
            often *= max(1, len(values) if isinstance(values, list) else 1)
        if often > 24:
            return "repeats more than 24 times a day; refused"
    return ""
