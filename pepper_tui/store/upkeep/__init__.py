"""Retention, removal, copies, export and import."""
