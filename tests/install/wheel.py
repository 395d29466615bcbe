"""``python -m tests.install.wheel``: a wheel, built, installed with each Python that there is, and run.

Each Python from 3.11 on that is found gets a virtual environment of its own, in which nothing but the wheel and what it
needs is installed, at the versions that are pinned. There Pepper says its version, looks at a home, and answers without
a model.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
CONFIG = '[user]\nzone = "UTC"\n[models]\nbase_url = ""\nname = ""\n'


def pythons() -> Iterator[tuple[str, str]]:
    """Version and path of each Python that works."""
    for version in VERSIONS:
        path = shutil.which(f"python{version}")
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        if path and _said([path, "-c", code], check=False).strip() == version:
            yield version, path


def _said(command: list[str], *, check: bool = True, cwd: Path | None = None) -> str:
    ours = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "OPENAI_API_KEY")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, cwd=cwd, env=ours, stdin=subprocess.DEVNULL
    )
    if check and done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def tried(python: str, wheel: Path, folder: Path) -> None:
    """Install the wheel with ``python`` and run it. Ends the program with what went wrong."""
    _said([python, "-m", "venv", str(folder / "venv")])
    inside = folder / "venv" / "bin"
    pins = ["-c", str(ROOT / "constraints.txt")]
    _said([str(inside / "python"), "-m", "pip", "install", "--quiet", *pins, str(wheel)])
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(CONFIG, encoding="utf-8")
    pepper = [str(inside / "pepper"), "--home", str(home)]
    assert _said([*pepper, "--version"], cwd=folder).startswith("pepper ")
    assert "config" in _said([*pepper, "doctor"], check=False, cwd=folder)
    answer = _said([*pepper, "ask", "remind me tomorrow at 7 to call Ann"], cwd=folder)
    assert "7" in answer, answer
    where = _said([str(inside / "python"), "-c", "import pepper_tui; print(pepper_tui.__file__)"], cwd=folder).strip()
    assert where.startswith(str(inside.parent)), where


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pepper-wheel-") as place:
        built = Path(place) / "dist"
        _said([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(built), str(ROOT)])
        [wheel] = built.glob("*.whl")
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
        for version, python in pythons():
            folder = Path(place) / version
            folder.mkdir()
            tried(python, wheel, folder)
            print(f"Python {version}: installed and run")


if __name__ == "__main__":
    main()
