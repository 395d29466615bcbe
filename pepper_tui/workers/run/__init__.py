"""One run: its steps, its calls, what it is told, and its end."""
