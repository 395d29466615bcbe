"""Writing mail: who writes, to whom, and what stands around the user's own words."""
