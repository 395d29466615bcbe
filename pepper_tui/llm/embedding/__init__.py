"""Embedders: local, or at an endpoint."""
