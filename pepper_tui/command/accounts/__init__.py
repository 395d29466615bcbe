"""`pepper accounts …`: the commands, what adding asks, and the stored mail of an account that was removed."""
