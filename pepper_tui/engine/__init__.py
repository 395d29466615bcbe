"""What the engine does for its user beyond the rooms: their rules, seen and changed."""
