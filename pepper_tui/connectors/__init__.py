"""Connectors: each folder knows one vendor or format, and nothing else does."""
