"""What the user does, and its undo."""
