"""Act: the agent loop, stateful and stateless workers, their memory."""

from pepper_tui.workers.kinds import KindError, StatefulWorker, StatelessWorker, ToolFailedError, load_kinds
from pepper_tui.workers.memory import memory_namespace
from pepper_tui.workers.pool import RunFailedError, WorkerPool
from pepper_tui.workers.run_ids import run_id

__all__ = [
    "KindError",
    "RunFailedError",
    "StatefulWorker",
    "StatelessWorker",
    "ToolFailedError",
    "WorkerPool",
    "load_kinds",
    "memory_namespace",
    "run_id",
]
