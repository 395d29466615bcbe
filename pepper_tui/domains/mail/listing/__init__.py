"""All mail as a list of threads: what is kept of each mail in memory, in which order, and what a reader is shown."""
