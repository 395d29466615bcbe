"""Getting a home to work and keeping it working: the first start, and the doctor."""
