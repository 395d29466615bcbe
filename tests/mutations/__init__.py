"""Mutations: chosen faults, each put into a copy of the code alone, that a narrow set of tests must find.

``table/`` holds them, a file a room; ``survivors.toml`` those that no test finds, with the reason. A timeout counts as
found: where a fault makes its tests hang, they say so.
"""
