"""Views opened in the conversation's place, for reading."""
