"""What the calendar files say: events and their occurrences, in bounded time.

Rules that repeat by the second or minute (or make more than a day's hours a day) are refused. Each series is bounded by
itself, by the work that it makes: one whose rule never comes due, or takes too long to follow, is given up until its
file changes. Cheap ones are read first, so none spends what another needs. What could not be read, or not whole, is in
``defects`` by its name, and whoever answers from here says so. Times without a zone and whole days are in the user's
zone.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, Final, cast

from pepper_tui.clock import Clock, Looks, SystemClock
from pepper_tui.model import Record
from pepper_tui.text import one_line

MAX_FILE: Final = 10_000_000  # bytes
MAX_EVENTS: Final = 20_000
MAX_OCCURRENCES: Final = 5_000  # of one look
MAX_OF_SERIES: Final = 1_600  # of one look: 24 a day for the longest that is asked for
MAX_CALLS: Final = 400_000  # of functions, to follow the rules of one series: well under a second
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
    given_up: str = ""  # why its rules are not followed any more, until its file changes

    @property
    def name(self) -> str:
        """What it is called where it can't be read."""
        title = next((str(one.get("SUMMARY", "")) for one in self.components), "")
        return f"{self.calendar}: {one_line(title, 60) or '(no title)'}"

    @property
    def key(self) -> tuple[str, str]:
        return self.calendar, str(self.components[0].get("UID", ""))[:500]


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
        self._of_files: list[str] = []
        self._of_series: dict[tuple[str, str], str] = {}
        self.unread: frozenset[str] = frozenset()
        """The calendars of which a file could not be read just now: what they said before is not gone."""

    @property
    def defects(self) -> list[str]:
        """What could not be read by the last looks, or not whole: files first, then events by their name."""
        return [*self._of_files, *dict.fromkeys(list(self._of_series.values()))]

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
                    if (event := self._event(component, series)) is not None:
                        rules = _rules(component)
                        event.recurrence = _changed(component) or "; ".join(one.to_ical().decode() for one in rules)
                        found.append(event)
            return found

    def _between(self, start: float, end: float) -> list[Event]:
        with self._lock:
            until = time.monotonic() + DEADLINE
            found: list[Event] = []
            for series in sorted(self._load(), key=lambda one: self._steps(one, end)):
                if len(found) >= MAX_OCCURRENCES or time.monotonic() > until:
                    self._of_series[series.key] = f"{series.name}: left out, as there is too much in the calendar"
                    continue
                self._of_series.pop(series.key, None)
                moved = {_changed(one) for one in series.components} - {""}
                repeats = _repeats(series)
                for component in self._occurrences(series, start, end):
                    event = self._event(component, series)
                    if event is not None and not event.cancelled and event.start < end and event.end >= start:
                        event.repeats = repeats and event.recurrence not in moved
                        found.append(event)
            found.sort(key=lambda event: (event.start, event.uid))
            return found[:MAX_OCCURRENCES]

    def _steps(self, series: _Series, end: float) -> float:
        """How many steps it takes to follow the rules of ``series`` to ``end``; 0 for what does not repeat."""
        steps = 0.0
        for component in series.components:
            with contextlib.suppress(Exception):  # what can't be read is named where it is read
                begins = self._seconds(component.decoded("DTSTART"))
                for rule in _rules(component):
                    hourly = _part(rule, "FREQ").upper() == "HOURLY"
                    periods = max(1.0, (end - begins) / (3600 if hourly else 86400) / _interval(rule))
                    for name in ("BYMINUTE", "BYSECOND", *(() if hourly else ("BYHOUR",))):
                        periods *= max(1, len(_listed(rule.get(name))))
                    steps += periods
        return steps

    def _occurrences(self, series: _Series, start: float, end: float) -> list[Any]:
        """The occurrences; where the rule can't be followed, what the series says of single times, and a defect."""
        if not _repeats(series):
            return series.components
        import icalendar
        import recurring_ical_events

        # a day more on both sides: whole days and times without a zone are compared in UTC there
        day = timedelta(days=1)
        first, last = datetime.fromtimestamp(start, UTC) - day, datetime.fromtimestamp(end, UTC) + day
        why = series.given_up
        if not why:
            calendar = icalendar.Calendar()
            for component in series.components:
                calendar.add_component(component)
            try:
                with _at_most(MAX_CALLS):
                    found = list(islice(recurring_ical_events.of(calendar).between(first, last), MAX_OF_SERIES + 1))
                    if len(found) > MAX_OF_SERIES:
                        words = f"comes more than {MAX_OF_SERIES} times; not all are shown"
                        self._of_series[series.key] = f"{series.name}: {words}"
                    return found[:MAX_OF_SERIES]
            except _TooMuchError:
                why = series.given_up = "its repeat rule never comes due, or takes too long to follow"
            except Exception as error:
                why = f"its repeat rule can't be read ({type(error).__name__})"
        self._of_series[series.key] = f"{series.name}: {why}; only its first time is known"
        return series.components

    # ------------------------------------------------------------------------------------------------------- files

    def _load(self) -> list[_Series]:
        paths: list[Path] = []
        noted: list[str] = []
        unread: set[str] = set()
        for path in self._paths:
            files = sorted(path.glob("**/*.ics")) if path.is_dir() else [path]
            if len(files) > MAX_FILES:
                noted.append(f"{path}: only the first {MAX_FILES} of {len(files)} files were read")
                unread |= {each.stem for each in files[MAX_FILES:]}
            paths.extend(files[:MAX_FILES])
        kept: dict[Path, tuple[tuple[int, int], list[_Series], list[str]]] = {}
        for path in paths:
            try:
                status = path.stat()
                sign = (status.st_mtime_ns, status.st_size)
                known = self._files.get(path)
                kept[path] = known if known and known[0] == sign else (sign, *self._parse(path))
            except FileNotFoundError:
                if path in self._paths:
                    noted.append(f"{path}: not there")
                    unread.add(path.stem)
            except Exception as error:
                noted.append(f"{path}: can't be read: {type(error).__name__}: {error}")
                unread.add(path.stem)
                if path in self._files:  # half-written: what it said before holds until it can be read again
                    kept[path] = self._files[path]
        self._files = kept
        for _, _, defects in kept.values():
            noted.extend(defects)
        found = [one for _, series, _ in kept.values() for one in series]
        there = {one.key for one in found}
        self._of_files, self.unread = noted, frozenset(unread)
        self._of_series = {key: words for key, words in self._of_series.items() if key in there}
        return found

    @staticmethod
    def _parse(path: Path) -> tuple[list[_Series], list[str]]:
        import icalendar

        source = path.read_bytes()
        if len(source) > MAX_FILE:
            raise ValueError(f"larger than {MAX_FILE} bytes")
        if b"END:VCALENDAR" not in source.upper():
            raise ValueError("it has no end; is it being written?")
        defects: list[str] = []
        try:
            calendars = cast(list[Any], icalendar.Calendar.from_ical(source, multiple=True))
            components = [one for calendar in calendars for one in calendar.walk("VEVENT")]
            if len(components) < len(_EVENT.findall(source)):
                raise ValueError("an event of it has no end")
        except Exception as error:
            components = _one_by_one(source, path.name, defects)
            if not components:
                raise ValueError(one_line(str(error), 160)) from error
        if len(components) > MAX_EVENTS:
            defects.append(f"{path.name}: only the newest {MAX_EVENTS} of {len(components)} events were read")
            components = sorted(components, key=_newness)[-MAX_EVENTS:]
        by_uid: dict[str, list[Any]] = defaultdict(list)
        for component in components:
            title = one_line(str(component.get("SUMMARY", "")), 60) or "(no title)"
            try:
                refusal = _refusal(component)
                broken = [name for name, _ in component.errors if name]
            except Exception:
                refusal, broken = "", ["RRULE"]
                component.pop("RRULE", None)
            if refusal:
                defects.append(f"{path.name}: {title}: {refusal}")
                continue
            if broken:
                named = one_line(", ".join(dict.fromkeys(broken)), 60)
                defects.append(f"{path.name}: {title}: its {named} can't be read, so what is known of it is not whole")
            by_uid[str(component.get("UID", ""))[:500]].append(component)
        return [_Series(components, path.stem) for components in by_uid.values()], defects

    def _event(self, component: Any, series: _Series) -> Event | None:
        calendar = series.calendar
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
            self._of_series[series.key] = f"{series.name}: can't be read: {type(error).__name__}"
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


class _TooMuchError(Exception):
    """The work took more calls than it may."""


@contextlib.contextmanager
def _at_most(calls: int) -> Iterator[None]:
    """Let what runs inside make so many calls of functions, then raise ``_TooMuchError`` in it.

    The libraries look for what never comes due until the year 9999, and know no bound; this is the only hold on them
    that needs no other thread or process.
    """
    left = calls

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooMuchError

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)


def _rules(component: Any) -> list[Any]:
    return [rule for rule in _listed(component.get("RRULE")) if hasattr(rule, "to_ical")]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _part(rule: Any, name: str) -> str:
    return str(next(iter(_listed(rule.get(name))), ""))


def _newness(component: Any) -> tuple[bool, str]:
    """What to keep of too many events: those that repeat, then those that begin last."""
    start = component.get("DTSTART")
    return bool(_rules(component)), start.to_ical().decode()[:15] if start is not None else ""


_EVENT: Final = re.compile(rb"^BEGIN:VEVENT[ \t]*\r?$", re.I | re.M)
_EVENT_ENDS: Final = re.compile(rb"^END:VEVENT[ \t]*\r?$", re.I | re.M)


def _one_by_one(source: bytes, name: str, defects: list[str]) -> list[Any]:
    """The events of a file that can't be read whole, each by itself; one that can't be is a defect."""
    import icalendar

    found: list[Any] = []
    broken = 0
    for part in _EVENT.split(source)[1:]:
        ends = _EVENT_ENDS.search(part)
        event = b"BEGIN:VEVENT" + part[: ends.end() if ends else 0] + b"\r\n"
        try:
            found += icalendar.Calendar.from_ical(b"BEGIN:VCALENDAR\r\n" + event + b"END:VCALENDAR\r\n").walk("VEVENT")
        except Exception:
            broken += 1
    if found:
        left = f"{broken} events can't be read" if broken else "its time zones can't be read"
        defects.append(f"{name}: not well-formed: {left}")
    return found


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
    for rule in _listed(component.get("RRULE")):
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
