"""Taking in the mail of an IMAP account, and what becomes of it at its server."""
