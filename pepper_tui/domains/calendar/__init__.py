"""Calendars: events, conflicts, free time; and what the bytes of an iCalendar file say."""
