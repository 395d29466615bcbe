"""Documents (PDF, Office, OpenDocument) as plain text, wherever they come from: a mail, or a folder of the user's."""
