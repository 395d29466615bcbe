"""Asks the model for a run, within the bounds of its kind: steps and cost."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from pepper_tui.model import Completed, ModelError, ModelRequest, Retrying
from pepper_tui.text.errors import Foreseen, PepperError
from pepper_tui.workers.kinds import Kind
from pepper_tui.workers.parts import Stream
from pepper_tui.workers.run.saved_run import SavedRun


class BoundError(PepperError, Foreseen):
    """A run hit a bound; the text says which."""


class Asking:
    def __init__(self, stream: Stream, saved: SavedRun, kind: Kind) -> None:
        self._stream, self._saved, self._kind = stream, saved, kind

    def check_bounds(self) -> None:
        """Raise ``BoundError`` if the run may not continue."""
        run = self._saved.run
        if run.steps >= self._kind.max_steps:
            raise BoundError(f"Stopped after {run.steps} steps, the bound of this kind.")
        if run.spent and run.spent >= self._kind.max_cost:
            raise BoundError(f"Stopped at a cost of {run.spent:.4f}, the bound of this kind.")

    async def ask(self, request: ModelRequest) -> Completed:
        """Return one valid reply; the cost and waits of further attempts count for the run."""
        run = self._saved.run
        stream = self._stream(request)
        completed: Completed | None = None
        try:
            async for event in stream:
                if isinstance(event, Retrying):
                    run.spent += event.error.usage.cost if event.error.usage else 0.0
                    self.check_bounds()
                    self._saved.say(f"{event.error.words}; again in {event.pause:.0f} s")
                elif isinstance(event, Completed):
                    completed = event
        except ModelError as error:
            run.spent += error.usage.cost if error.usage else 0.0
            raise
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        if completed is None:
            raise ModelError("cut", "The model's reply broke off", retryable=True)
        run.spent += completed.usage.cost
        return completed
