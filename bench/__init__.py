"""Measurements: what a store costs, how long a delivery takes, and what Pepper adds to the model's own time."""
