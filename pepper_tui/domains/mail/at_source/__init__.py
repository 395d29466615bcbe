"""A mail where it lies: how it stands there, what is done to it, and what ends when it is dealt with."""
