"""Mail: what its bytes say."""
