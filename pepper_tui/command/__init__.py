"""The `pepper` command: what it understands, and the start of what it names."""
