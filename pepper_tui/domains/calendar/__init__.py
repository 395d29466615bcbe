"""Calendars: what the bytes of an iCalendar file say."""
