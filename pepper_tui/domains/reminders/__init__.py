"""Reminders: promises to speak at a certain time."""
