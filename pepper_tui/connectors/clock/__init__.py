"""Signals that the clock makes."""
