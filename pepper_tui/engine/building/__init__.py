"""The composition of an engine: what its parts are, and how they are made and joined."""
