"""Think: one model call per step, never blocked, one commit per step."""

from pepper_tui.scheduler.loop import Scheduler
from pepper_tui.scheduler.parts import Parts
from pepper_tui.scheduler.ranks import rank_of

__all__ = ["Parts", "Scheduler", "rank_of"]
