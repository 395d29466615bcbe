"""What is asked of an engine, and its socket."""
