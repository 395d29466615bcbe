"""All mail of all accounts: the list of threads, the reading pane, and the keys on them."""
