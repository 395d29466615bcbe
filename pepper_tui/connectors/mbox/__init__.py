"""Mail from mbox files."""
