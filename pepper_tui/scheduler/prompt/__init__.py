"""What the model reads in a step: the system prompt, the history, the turn."""
