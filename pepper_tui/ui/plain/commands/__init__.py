"""The slash commands: one file per group, and one table of all."""
