"""What Pepper keeps for the user: notes, the profile, and search over all of it."""
