"""Lists that are drawn line by line: signals, calls, workers."""
