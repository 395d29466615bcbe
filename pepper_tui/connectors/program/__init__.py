"""Feeds that are programs: each line that one prints is a JSON object."""
