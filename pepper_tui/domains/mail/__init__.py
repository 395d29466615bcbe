"""Mail: parsing it, taking it in, reading and answering it."""
