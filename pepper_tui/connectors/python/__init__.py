"""Python files of the user's own: feeds and tools."""
