"""Gmail: one mailbox (``mailbox``), and the commands of its API on it (``methods``)."""
