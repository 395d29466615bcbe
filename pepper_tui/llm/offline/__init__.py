"""The model for a home without a model: a grammar and rules."""
