"""The `pepper` command: parsing its command line and starting what it names."""
