"""What matters in a mail, found by code: each fact in a file, and how they become cards."""
