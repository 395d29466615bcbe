"""`ask -` and `answer -` read standard input alike: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pepper_tui.command.ask import MAX_PIPED
from pepper_tui.command.cli import app


@pytest.mark.parametrize("command", ["ask", "answer"])
@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "there is nothing to say"),
        (b" \n\t", "there is nothing to say"),
        (b"x" * (MAX_PIPED + 1), "more than 500,000 bytes"),
        ("ä".encode() * (MAX_PIPED // 2 + 1), "more than 500,000 bytes"),  # fewer characters than that
    ],
    ids=["nothing", "blanks", "too much", "too many bytes"],
)
def test_what_can_not_be_said_whole_is_not_said(command: str, said: bytes, words: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [command, "-", "--home", str(tmp_path)], input=said)
    assert result.exit_code == 2
    assert words in result.stderr
