"""Search by words and by meaning, each a projection of the log."""
