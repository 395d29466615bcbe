"""The parts of the store that is kept in memory alone: its log, what is asked of it, what is delivered from it."""
