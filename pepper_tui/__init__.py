"""Pepper: a proactive personal assistant that lives in a terminal."""

__version__ = "0.1.0"
