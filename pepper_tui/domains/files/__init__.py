"""Files of the user's, in the folders that the config allows."""
