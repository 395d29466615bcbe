"""The screen: a projection of the store's updates, and the keys; it knows the engine as ``engine.Engine`` only."""
