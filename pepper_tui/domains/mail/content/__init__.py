"""What a mail says: its parts, its new text, who wrote it and what about."""
