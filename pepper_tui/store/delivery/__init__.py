"""Deliveries from the log: live, pushed to handlers, or pulled from a queue."""
