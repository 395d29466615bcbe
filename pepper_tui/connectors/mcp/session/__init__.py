"""One open session with one server."""
