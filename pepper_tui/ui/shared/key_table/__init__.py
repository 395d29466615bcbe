"""What the table of keys is made of; the table is ``keys``."""
