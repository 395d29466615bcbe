"""What every source of mail shares: how a mail is stored, and how it becomes a signal."""
