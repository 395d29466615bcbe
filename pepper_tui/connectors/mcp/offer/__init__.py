"""What a server offers, and which of it is trusted."""
