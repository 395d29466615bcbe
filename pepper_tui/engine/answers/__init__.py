"""Queries to an engine, and the socket that serves them."""
