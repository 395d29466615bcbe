"""The connection to an IMAP server, under limits, and its requests."""
