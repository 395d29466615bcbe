"""The accounts of a simulated world: an IMAP server and Google in process, below the sockets of the real connectors."""
