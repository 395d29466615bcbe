"""Checks the folders whose files may be read."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.connectors.finding import Finding, Patient, looked


async def check(patient: Patient) -> AsyncIterator[Finding]:
    for path in patient.config.files.folders:
        yield await looked(f"files {path.name}", path, _folder, path, patient.home)


def _folder(path: Path, home: Path) -> Finding:
    part = f"files {path.name}"
    if not path.is_dir():
        return Finding(part, "trouble", f"{path} is not an existing folder", "fix files.folders in the config")
    if not os.access(path, os.R_OK | os.X_OK):
        return Finding(part, "trouble", f"{path} can't be read", "make it readable for you")
    if path.resolve().is_relative_to(home.resolve()):
        return Finding(part, "note", f"{path} is in Pepper's own home, which is never read", "name another folder")
    if path.resolve() in (Path.home().resolve(), Path(path.anchor)):
        return Finding(part, "note", f"{path}: all of it, except hidden files and secrets", "name only what is needed")
    return Finding(part, "ok", str(path))
