"""What a server offers, and what of it is trusted."""
