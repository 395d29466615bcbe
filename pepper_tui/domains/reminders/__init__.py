"""Reminders: promises to speak at a time."""
