"""The files of a mail: read as text here, saved to a folder that the user names, or opened by the system's program.

Each on a key, never else. A name from a mail is only a name: it leads nowhere, hides nothing, and replaces no file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.text import Text

from pepper_tui.clock import in_thread
from pepper_tui.domains.mail.listing.records import ThreadMail
from pepper_tui.model import EngineError
from pepper_tui.text import clean, one_line
from pepper_tui.text.charsets import decoded
from pepper_tui.ui.screen.mail.mail_lines import size_words

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

RUNS: Final = frozenset(
    {
        *(".app", ".appimage", ".apk", ".bat", ".bin", ".cmd", ".com", ".command", ".cpl", ".deb", ".desktop", ".dll"),
        *(".exe", ".hta", ".jar", ".js", ".jse", ".lnk", ".msi", ".ps1", ".py", ".reg", ".rpm", ".run", ".scr", ".sh"),
        *(".so", ".url", ".vbs", ".workflow", ".wsf"),
    }
)
"""Endings of what a system may run instead of showing it: such a file is only saved."""
_SAME_NAME: Final = 100
SHOWN: Final = 100_000
"""Characters of a file that are shown as text."""
_TEXTS: Final = frozenset({"application/json", "application/xml", "application/x-sh", "application/pgp-signature"})
"""Kinds of text besides ``text/…``."""


class Files:
    """Saves and opens what is attached."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._folder = ""  # where the user saved last

    def do(self, act: str, mail: ThreadMail | None) -> None:
        """Save or open a file of ``mail``; ask which, if it has several."""
        app = self._app
        if mail is None or not mail.attachments:
            app.say_words("This mail has no attachments")
            return
        chosen = {"save_file": self._save, "read_file": self._read}.get(act, self._open)
        if len(mail.attachments) == 1:
            chosen(mail, 0)
            return
        named = [
            f"{one_line(str(each.get('name') or ''), 60)} ({size_words(each.get('size'))})"
            for each in mail.attachments[:9]
        ]
        app.asking.ask(
            "Which file", lambda one: self._later(lambda: chosen(mail, named.index(one))), choices=named, numbered=True
        )

    def _later(self, act: Callable[[], None]) -> None:
        """Go on once the prompt is gone, and the focus back where it was."""
        app = self._app
        if app.asking.open or app.focused is None:
            app.call_after_refresh(self._later, act)
        else:
            act()

    def _read(self, mail: ThreadMail, number: int) -> None:
        self._app.link.start(self._shown(mail, number))

    async def _shown(self, mail: ThreadMail, number: int) -> None:
        name, names = plain_name(str(mail.attachments[number].get("name") or "")), self._app.key_names
        _, data = await self._app.link.ready().attachment(mail.id, number)
        text = await in_thread(file_text, str(mail.attachments[number].get("type") or ""), data)
        if text is None:
            ways = f"{names.of('read.open_file')} opens it, {names.of('read.save_file')} saves it"
            raise EngineError(f"{name} is no text: {ways}")
        said = clean(text[:SHOWN]).split("\n")
        if len(text) > SHOWN:
            said.append(f"… {len(text) - SHOWN:,} more characters: {names.of('read.save_file')} saves the file")
        self._app.reading.open(name, lambda pen: [part for line in said for part in pen.hang(Text(""), Text(line))])

    def _save(self, mail: ThreadMail, number: int) -> None:
        downloads = Path("~/Downloads").expanduser()
        usual = self._folder or str(downloads if downloads.is_dir() else Path.home())

        def save(folder: str) -> None:
            self._folder = folder
            self._app.link.start(self._saved(mail, number, Path(folder).expanduser()))

        self._app.asking.ask("Save to which folder", save, choices=[usual])

    async def _saved(self, mail: ThreadMail, number: int, folder: Path) -> None:
        name, data = await self._app.link.ready().attachment(mail.id, number)
        path = await in_thread(write_new, folder, name, data)
        self._app.say_words(f"Saved: {one_line(str(path), 200)}")

    def _open(self, mail: ThreadMail, number: int) -> None:
        self._app.link.start(self._opened(mail, number))

    async def _opened(self, mail: ThreadMail, number: int) -> None:
        name = plain_name(str(mail.attachments[number].get("name") or ""))
        if Path(name).suffix.lower() in RUNS:
            raise EngineError(f"{name} might be run, not shown: save it, if you trust it")
        program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
        if program is None:
            raise EngineError("no program opens files here (xdg-open is missing): save it instead")
        _, data = await self._app.link.ready().attachment(mail.id, number)
        path = await in_thread(_private, name, data)
        await in_thread(_started, [program, str(path)])
        self._app.say_words(f"Opened: {name}")


def file_text(kind: str, data: bytes) -> str | None:
    """Return the text of a file, by its kind as the mail says and by its bytes; ``None`` if it is none. Blocking."""
    kind = kind.lower()
    told = kind.startswith("text/") or kind in _TEXTS
    if kind == "text/html" or b"\0" in data[:4_096] or not (told or _is_utf8(data[:4_096])):
        return None
    return decoded(data, "", [])


def _is_utf8(begin: bytes) -> bool:
    try:
        begin.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # cut in the midst of a character
    return bool(begin)


def plain_name(name: str) -> str:
    """Return a file's name from a mail as one that is visible and stays in its folder."""
    bare = one_line(name, 120).replace("/", "_").replace("\\", "_").strip(" .")
    return bare or "attachment"


def write_new(folder: Path, name: str, data: bytes) -> Path:
    """Write a new file, readable by its owner only, and return its path. Blocking. Raises ``EngineError``."""
    plain = Path(plain_name(name))
    if not folder.is_dir():
        raise EngineError(f"{one_line(str(folder), 200)} is no folder: nothing was saved")
    for number in range(1, _SAME_NAME):
        path = folder / (plain.name if number == 1 else f"{plain.stem} ({number}){plain.suffix}")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        except OSError as error:
            raise EngineError(f"{one_line(str(path), 200)}: {error.strerror}; nothing was saved") from error
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise EngineError(f"{one_line(str(path), 200)}: {error.strerror}; nothing was saved") from error
        return path
    raise EngineError(f"there are {_SAME_NAME} files of that name: nothing was saved")


def _private(name: str, data: bytes) -> Path:
    return write_new(Path(tempfile.mkdtemp(prefix="pepper-")), name, data)  # a folder of mode 0700


def _started(command: list[str]) -> None:
    """Start a program that outlives Pepper and says nothing on its screen."""
    subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
