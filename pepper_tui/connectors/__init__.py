"""Connectors: each folder knows one vendor or format, and is the only code that does."""
