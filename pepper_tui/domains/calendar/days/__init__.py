"""The days of the user: what is on them, as rows for a screen."""
