"""Mail: what its bytes say, how it is taken in, read and answered."""
