"""What is written into a calendar stays in its folder, whatever is swapped into the way."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest

from pepper_tui.connectors.ics import calendar_file
from pepper_tui.tools.errors import NotDoneError, ToolError

OLD, NEW, OUTSIDE = b"old", b"new", b"outside"


def test_a_folder_swapped_while_it_is_written_leads_nowhere(tmp_path: Path) -> None:
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    (allowed / "sub").mkdir(parents=True)
    outside.mkdir()
    path = allowed / "sub" / "plan.ics"
    path.write_bytes(OLD)
    (outside / "plan.ics").write_bytes(OUTSIDE)
    (allowed / "link").symlink_to(outside)
    over = threading.Event()

    def swap() -> None:
        sub, link, spare = allowed / "sub", allowed / "link", allowed / "spare"
        while not over.is_set():
            sub.rename(spare)
            link.rename(sub)
            sub.rename(link)
            spare.rename(sub)

    swapping = threading.Thread(target=swap)
    swapping.start()
    read, written = set(), 0
    try:
        for number in range(3000):
            with contextlib.suppress(ToolError):
                read.add(calendar_file.read([allowed], path))
            before, after = (OLD, NEW) if number % 2 == 0 else (NEW, OLD)
            with contextlib.suppress(NotDoneError):
                calendar_file.replace([allowed], path, calendar_file.digest(before), after)
                written += 1
            with contextlib.suppress(NotDoneError):  # whatever stands there: it would be written over
                calendar_file.replace([allowed], path, calendar_file.digest(OUTSIDE), NEW)
    finally:
        over.set()
        swapping.join()
    assert (outside / "plan.ics").read_bytes() == OUTSIDE
    assert os.listdir(outside) == ["plan.ics"]  # noqa: PTH208
    assert read <= {OLD, NEW, b""}
    assert written, "the race was not run"


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_plain_file_is_neither_read_nor_written(tmp_path: Path, kind: str) -> None:
    allowed, secret = tmp_path / "allowed", tmp_path / "secret"
    allowed.mkdir()
    secret.write_bytes(OUTSIDE)
    path = allowed / "plan.ics"
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(ToolError):
        calendar_file.read([allowed], path)
    with pytest.raises(NotDoneError):
        calendar_file.replace([allowed], path, calendar_file.digest(OUTSIDE), NEW)
    assert secret.read_bytes() == OUTSIDE
