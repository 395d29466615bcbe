"""The terminal itself: its driver, sequences past the screen, notices."""
