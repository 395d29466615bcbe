"""OpenAI-compatible endpoints: requests, streams, and the dialects of their servers."""
