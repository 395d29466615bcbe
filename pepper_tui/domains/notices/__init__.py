"""What reaches the user and when: the inbox, snooze, and what was told already."""
