"""What may be typed after a slash: a file for each group of commands, and one table of all."""
