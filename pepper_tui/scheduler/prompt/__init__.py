"""What a step reads: the system prompt, the history, the turn."""
