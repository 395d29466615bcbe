"""Checks files of the user's own code: feeds, tools, workers, priorities. They are read, never run."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from pathlib import Path

from pepper_tui.connectors.finding import Finding, Patient, looked


async def check(patient: Patient) -> AsyncIterator[Finding]:
    own = [(f"feed {feed.name}", feed.file) for feed in patient.config.feed]
    own += [(f"tool {tool.file.stem}", tool.file) for tool in patient.config.tool]
    own += [(f"worker {worker.name}", worker.file) for worker in patient.config.worker if worker.file]
    own += [("priority", file) for file in [patient.config.scheduler.priority] if file]
    for part, file in own:
        yield await looked(part, file, _own, part, file)


def _own(part: str, file: Path) -> Finding:
    if not file.is_file():
        return Finding(
            part, "trouble", f"{file} is not there", "put the file there, or remove its table from the config"
        )
    try:
        ast.parse(file.read_bytes())
    except SyntaxError as error:
        return Finding(part, "trouble", f"{file}:{error.lineno}: {error.msg}", "fix that line")
    except (OSError, ValueError) as error:
        return Finding(part, "trouble", f"{file}: {error}", "make it a Python file that is readable for you")
    return Finding(part, "ok", str(file))
