"""The user's acts, and how they are undone."""
