"""Keeps passwords and tokens: in the system's keyring where one works, else in files of the home for its owner only.

All of it blocks: a locked keyring waits for somebody to unlock it. So each request to it has a thread of its own and a
time limit, and while one hangs no other is made. The words of an error never contain a value.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from pepper_tui.boundary.plain_file import open_plain
from pepper_tui.text.errors import Foreseen, PepperError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")
FOLDER: Final = "secrets"
"""The folder of the home that holds a file for each secret."""
SERVICE: Final = "pepper-tui"
KEYRING: Final = "keyring"
FILES: Final = "file"
PATIENCE: Final = 15.0
"""Seconds for the keyring to answer; somebody may have to type its password."""
WORKS: Final = 1.0
"""The priority from which a keyring is one: those below it keep nothing, or keep it readable for all programs."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}")


class KeeperError(PepperError, Foreseen):
    """A secret can't be read, written or removed."""


class SecretKeeper(Protocol):
    """Secrets by name. Blocking; raises ``KeeperError``."""

    def read(self, name: str) -> str | None:
        """Return the secret, or None if there is none of that name."""
        ...

    def write(self, name: str, value: str) -> None: ...

    def remove(self, name: str) -> None:
        """Remove the secret, wherever it is kept; nothing happens if there is none."""
        ...


class FileKeeper:
    """A file of mode 0600 for each secret, in a folder of the home that only its owner may enter."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def read(self, name: str) -> str | None:
        path = self._folder / _checked(name)
        try:
            with open_plain(path, flags=os.O_NOFOLLOW) as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & 0o077:
                    raise KeeperError(f"{path}: others may read it (mode {mode:04o})", f"chmod 600 {path}")
                return file.read().decode("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise KeeperError(f"{path}: {getattr(error, 'strerror', '') or 'it is not UTF-8'}") from None

    def write(self, name: str, value: str) -> None:
        path = self._folder / _checked(name)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            handle, part = tempfile.mkstemp(dir=self._folder, prefix=".part-")  # O_EXCL, mode 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(value)
                    file.flush()
                    os.fsync(file.fileno())
                Path(part).replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(part).unlink()
                raise
        except OSError as error:
            raise KeeperError(f"{path}: {error.strerror}") from None

    def remove(self, name: str) -> None:
        path = self._folder / _checked(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise KeeperError(f"{path}: {error.strerror}") from None


class KeyringKeeper:
    """The system's keyring. The home is part of a secret's name there, since all homes share it."""

    def __init__(
        self, home: Path, backend: Callable[[], KeyringBackend | None] | None = None, patience: float = PATIENCE
    ) -> None:
        self._home, self._patience = home.absolute(), patience
        self._find = backend or real_keyring
        self._backend: KeyringBackend | None = None
        self._asked: threading.Thread | None = None
        self._turn = threading.Lock()

    @property
    def works(self) -> bool:
        """Whether this system has a keyring that keeps what it is given."""
        with contextlib.suppress(KeeperError):
            return self._within(self._known) is not None
        return False

    def read(self, name: str) -> str | None:
        return self._ask(lambda keyring, user: keyring.get_password(SERVICE, user), name)

    def write(self, name: str, value: str) -> None:
        self._ask(lambda keyring, user: keyring.set_password(SERVICE, user, value), name)

    def remove(self, name: str) -> None:
        def gone(keyring: KeyringBackend, user: str) -> None:
            if keyring.get_password(SERVICE, user) is not None:
                keyring.delete_password(SERVICE, user)

        self._ask(gone, name)

    def _ask(self, ask: Callable[[KeyringBackend, str], T], name: str) -> T | None:
        user = f"{self._home}: {_checked(name)}"

        def work() -> T | None:
            keyring = self._known()
            return None if keyring is None else ask(keyring, user)

        return self._within(work)

    def _known(self) -> KeyringBackend | None:
        if self._backend is None:
            self._backend = self._find()
        return self._backend

    def _within(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a thread; raise ``KeeperError`` if it fails, or does not answer in time.

        Who asks meanwhile waits for their turn: several accounts read their secrets at the same time.
        """
        if not self._turn.acquire(timeout=self._patience):
            raise _unanswered()
        try:
            return self._answer(work)
        finally:
            self._turn.release()

    def _answer(self, work: Callable[[], T]) -> T:
        if self._asked is not None and self._asked.is_alive():
            raise _unanswered()
        answer: list[T] = []
        failure: list[str] = []

        def run() -> None:
            try:
                answer.append(work())
            except Exception as error:  # a backend may raise anything, and may quote what it was given
                failure.append(type(error).__name__)

        self._asked = thread = threading.Thread(target=run, name="keyring", daemon=True)
        thread.start()
        thread.join(self._patience)
        if thread.is_alive():
            raise _unanswered()
        if failure:
            raise KeeperError(f"the keyring refused ({failure[0]})", "unlock it, and try again")
        return answer[0]


class HomeKeeper:
    """The secrets of a home. What is written goes into the keyring where one works, else into a file.

    A file goes first: reading it needs no keyring. What the keyring said is remembered until a Pepper of this home,
    in any process, changes something there.
    """

    def __init__(self, home: Path, keyring: KeyringKeeper | None = None) -> None:
        self._files, self._keyring = FileKeeper(home), keyring or KeyringKeeper(home)
        self._changed = home / FOLDER / ".changed"
        self._seen: object = None
        self._known: dict[str, str | None] = {}

    def read(self, name: str) -> str | None:
        found = self._files.read(name)
        if found is not None:
            return found
        stamp = self._stamp()
        if stamp != self._seen:
            self._known, self._seen = {}, stamp
        if name not in self._known:
            self._known[name] = self._keyring.read(name)
        return self._known[name]

    def write(self, name: str, value: str) -> None:
        self.put(name, value)

    def put(self, name: str, value: str) -> str:
        """Write a secret, and return where it is now: ``KEYRING`` or ``FILES``."""
        if self._keyring.works:
            with contextlib.suppress(KeeperError):
                self._keyring.write(name, value)
                self._files.remove(name)
                self._tell_others()
                return KEYRING
        self._files.write(name, value)
        return FILES

    def remove(self, name: str) -> None:
        self._files.remove(name)
        if self._keyring.works:
            self._keyring.remove(name)
            self._tell_others()

    def place(self, name: str) -> str:
        """Return where a secret is: ``KEYRING``, ``FILES``, or an empty string."""
        if self._files.read(name) is not None:
            return FILES
        return KEYRING if self.read(name) is not None else ""

    def move(self, name: str, to: str) -> None:
        """Move a secret to ``KEYRING`` or ``FILES``; it is removed from the old place last."""
        value = self.read(name)
        if value is None:
            raise KeeperError(f"there is no secret {name}")
        if to == FILES:
            self._files.write(name, value)
            if self._keyring.works:
                self._keyring.remove(name)
        elif not self._keyring.works:
            raise KeeperError("no keyring works here", "it stays in a file that only you can read")
        else:
            self._keyring.write(name, value)
            self._files.remove(name)
        self._tell_others()

    def _stamp(self) -> int:
        try:
            return self._changed.stat().st_mtime_ns
        except OSError:
            return 0

    def _tell_others(self) -> None:
        self._known = {}
        with contextlib.suppress(OSError):  # others notice at their next start
            self._changed.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._changed.touch(mode=0o600)


@cache
def keeper_of(home: Path) -> HomeKeeper:
    """Return the keeper of the secrets of ``home``: one for the whole process, as it remembers."""
    return HomeKeeper(home)


def real_keyring() -> KeyringBackend | None:
    """Return the system's keyring; None if there is none that works. Blocking: imports and asks it."""
    try:
        import keyring
        from keyring.backends.chainer import ChainerBackend

        found = keyring.get_keyring()
        each: list[Any] = list(found.backends) if isinstance(found, ChainerBackend) else [found]
        return next((backend for backend in each if float(backend.priority) >= WORKS), None)
    except Exception:  # whatever is wrong with it, it does not work
        return None


def _unanswered() -> KeeperError:
    return KeeperError("the keyring does not answer; it may be locked", "unlock it, and try again")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise KeeperError("the name of a secret is made of letters, digits, - _ and . (80 at most)")
    return name
