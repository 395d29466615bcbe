"""What servers ask of the user."""
