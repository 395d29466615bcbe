"""The user's files, in the folders that the config allows."""
