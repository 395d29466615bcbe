"""Secrets in the config: by reference, never in the clear."""
