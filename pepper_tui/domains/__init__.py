"""What Pepper knows about the world, one folder per noun; no vendor and no source."""
