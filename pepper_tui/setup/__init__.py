"""Getting a home to work and keeping it so: the first start, and the doctor."""
