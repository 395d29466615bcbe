"""What can go wrong in the store, in words that tell the way out."""

from __future__ import annotations

from pepper_tui.text.errors import Foreseen, PepperError


class StoreError(PepperError):
    """The store cannot do what it was asked; the message says what to do."""


class RefusedError(StoreError, Foreseen):
    """The store can't do it now. ``detail``: why it itself fails, where it does; ``remedy``: the way out."""

    def __init__(self, words: str, detail: str = "", remedy: str = "") -> None:
        super().__init__(words, remedy)
        self.detail = detail


class StoreUnavailableError(RefusedError):
    """The disk, a lock or the file fails the store (full, read-only, an I/O error): nothing is wrong with what was
    asked of it, and the same may work later."""


class StoreDamagedError(RefusedError):
    """The file is damaged."""


class OutdatedStoreError(StoreError, Foreseen):
    """The file is an older Pepper's, and was opened to be read: whoever may write it brings it up to date."""


class VersionConflictError(StoreError, Foreseen):
    """``expect_version`` named another version than the current one; nothing of the unit was written."""

    def __init__(self, namespace: str, context_id: str, expected: int, current: int) -> None:
        super().__init__(f"{namespace}/{context_id}: expected version {expected}, the current one is {current}")
        self.namespace, self.context_id = namespace, context_id
        self.expected, self.current = expected, current


class StaleDeliveryError(StoreError, Foreseen):
    """A unit moved a delivery that is already done or dead; nothing of the unit was written."""

    def __init__(self, subscription: str, seq: int) -> None:
        super().__init__(f"delivery {seq} of {subscription} is no longer open")
        self.subscription, self.seq = subscription, seq


class GiveUpError(Exception, Foreseen):
    """Raised by a handler: to try the same update again is of no use. Its delivery is a dead letter at once."""


class HomeLockedError(StoreError, Foreseen):
    """Another engine runs in this home. ``pid`` is its process, or None where the file does not say."""

    def __init__(self, path: str, pid: int | None) -> None:
        super().__init__(f"another Pepper (pid {pid or 'unknown'}) is running in this home ({path})")
        self.path, self.pid = path, pid
