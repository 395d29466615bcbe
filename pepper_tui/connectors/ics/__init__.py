"""Calendars in files: .ics files and folders of them, read as signals and written to by adding events."""
