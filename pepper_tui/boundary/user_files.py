"""Python files of the user: loaded as modules, with an explanation if one fails to load."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from pepper_tui.text.errors import Foreseen, PepperError


class UserFileError(PepperError, ValueError, Foreseen):
    """The file can't be loaded; the message says why."""


def run_file(path: Path, name: str) -> ModuleType:
    """Load the file as the module ``name``. Blocking.

    Raises whatever the file raises, and ``ImportError`` if it is not a Python file.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_file(path: Path, name: str) -> ModuleType:
    """Load a file like ``run_file``, with ``UserFileError`` for any failure in it. Blocking."""
    if importlib.util.spec_from_file_location(name, path) is None:
        raise UserFileError(f"{path} is not a Python file; its name must end in .py")
    try:
        return run_file(path, name)
    except SyntaxError as error:
        raise UserFileError(f"{path}:{error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        raise UserFileError(f"{path} failed while loading: {type(error).__name__}: {error}") from error


def line_of(error: BaseException, file: Path) -> str:
    """Return ``file:line`` for the innermost line of ``file`` in the traceback of ``error``, else just ``file``."""
    if isinstance(error, SyntaxError) and error.lineno and error.filename == str(file):
        return f"{file}:{error.lineno}"
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{file}:{line}" if line else str(file)
