"""The parser process, and what is hostile to it."""
