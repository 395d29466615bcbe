"""Facts of mail that matter without a model."""
