"""Checks whether the program of an exec feed could be started, without starting it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.config import ConfigError, ExecFeed
from pepper_tui.config.secret.in_clear import told_command
from pepper_tui.connectors.finding import Finding, Patient, looked


async def check(settings: ExecFeed, patient: Patient) -> AsyncIterator[Finding]:
    yield await looked(f"program {settings.name}", Path(settings.command[0]), _program, settings, patient)


def _program(feed: ExecFeed, patient: Patient) -> Finding:
    part, named = f"program {feed.name}", feed.command[0]
    remedy = f"fix command of [[exec]] {feed.name!r} in the config"
    for name, value in feed.env.items():
        try:
            patient.secrets.filled(value)
        except ConfigError as error:
            remedy = "see env of [[exec]] in: pepper config example"
            return Finding(part, "trouble", f"env.{name}: {error.problems[0]}", remedy)
    if "/" in named:
        path = patient.home / Path(named).expanduser()
        if not path.is_file():
            return Finding(part, "trouble", f"{path} is not there", remedy)
        if not os.access(path, os.X_OK):
            return Finding(part, "trouble", f"{path} can't be run", f"chmod u+x {path}")
        return Finding(part, "ok", str(path))
    found = shutil.which(named)
    if found is None:
        return Finding(part, "trouble", f"there is no program {named!r} in PATH", remedy)
    return Finding(part, "ok", told_command([found, *feed.command[1:]]))
