"""The parts of the in-memory store: its log, its queries, its deliveries."""
