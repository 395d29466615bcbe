"""Calendars: events, conflicts, free time; and the parsing of iCalendar files."""
