"""The log itself: its tables, rows, and the one writer."""
