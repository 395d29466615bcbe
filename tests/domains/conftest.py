"""The bench of a tool engine, as in ``tests.tools``."""

from tests.tools.conftest import bench, sink

__all__ = ["bench", "sink"]
