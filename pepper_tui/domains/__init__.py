"""What Pepper knows of the world, one noun a folder; no vendor and no source."""
