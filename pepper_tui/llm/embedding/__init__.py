"""Embedders: of this machine, or of an endpoint."""
