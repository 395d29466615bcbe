"""What is opened in the place of the conversation, to be read."""
