"""`pepper config`: errors with file, line and key; the example is complete."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from pepper_tui.command.cli import app
from pepper_tui.config import Config, parse_config
from pepper_tui.config.report import example_text


def check(home: Path, text: str | None) -> Any:
    if text is not None:
        (home / "config.toml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["config", "check", "--home", str(home)])


def test_a_good_config_is_called_good(tmp_path: Path) -> None:
    result = check(tmp_path, '[user]\nname = "Alex"\n')
    assert result.exit_code == 0
    assert f"{tmp_path / 'config.toml'}: good" in result.stdout


def test_one_alone_needs_no_list(tmp_path: Path) -> None:
    (tmp_path / "Mail").mkdir()
    result = check(tmp_path, '[user]\naddresses = "a@b.org"\nvips = "@b.org"\n[mail]\nmaildir = "Mail"\n')
    assert result.exit_code == 0, result.output
    assert "1 folder" in result.stdout
    assert "1 VIP" in result.stdout


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ('[user]\nname = "A"\nnmae = "B"\n', 3, "user.nmae"),
        ("[tools]\n\nconcurrency = 0\n", 3, "tools.concurrency"),
        ('[user]\nzone = "Mars/Base"\n', 2, "user.zone"),
        ('[[watch]]\nname = "a"\n\n[[watch]]\nname = "b"\npriority = "loud"\n', 6, "watch[2].priority"),
    ],
)
def test_a_wrong_key_is_named_with_its_line(tmp_path: Path, text: str, line: int, key: str) -> None:
    result = check(tmp_path, text)
    assert result.exit_code == 2
    assert f"{tmp_path / 'config.toml'}:{line}: {key}: " in result.stderr


def test_an_old_name_is_told_beside_what_is_wrong(tmp_path: Path) -> None:
    text = '[follow]\ncontext = 3\n[user]\nprioriti = "loud"\n'
    result = check(tmp_path, text)
    assert result.exit_code == 2
    assert "prioriti" in result.stderr
    assert "is called" in result.stdout


def test_what_is_not_toml_is_said_with_its_line(tmp_path: Path) -> None:
    result = check(tmp_path, "[user\n")
    assert result.exit_code == 2
    assert "line 1" in result.stderr


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = check(tmp_path, '[mail]\nmaildir = ["nowhere"]\n')
    assert result.exit_code == 2
    assert "mail.maildir" in result.stderr
    assert "nowhere" in result.stderr


@pytest.mark.parametrize("name", ["feed", "worker"])
def test_the_right_one_of_several_tables_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "there.py").write_text("")
    tables = f'[[{name}]]\nname = "a"\nfile = "there.py"\n\n[[{name}]]\nname = "b"\nfile = "gone.py"\n'
    result = check(tmp_path, f"{tables}[ui]\nbell = true\n")
    assert f"config.toml:7: {name}[2].file: " in result.stderr
    assert result.stderr.count("is not there") == 1
    result = check(tmp_path, f"{tables}bogus = 1\n")
    assert f"config.toml:8: {name}[2].bogus: " in result.stderr


def test_without_a_config_the_next_step_and_the_demo_are_named(tmp_path: Path) -> None:
    result = check(tmp_path, None)
    assert result.exit_code == 2
    assert "pepper --demo" in result.stderr
    assert "pepper config example" in result.stderr


def test_the_example_can_be_used(tmp_path: Path) -> None:
    config = parse_config(example_text(), tmp_path / "config.toml")
    assert config.watch
    assert CliRunner().invoke(app, ["config", "example"]).stdout.strip() == example_text().strip()


def test_the_example_holds_every_key() -> None:
    assert missing_keys(Config, [tomllib.loads(example_text())], "") == []


def missing_keys(section: type[BaseModel], tables: list[dict[str, Any]], path: str) -> list[str]:
    """The keys of ``section`` that none of ``tables`` sets, with their paths."""
    missing = []
    for name, field in section.model_fields.items():
        values = [table[name] for table in tables if name in table]
        if not values:
            missing.append(path + name)
            continue
        inner = next((t for t in types_in(field.annotation) if isinstance(t, type) and issubclass(t, BaseModel)), None)
        if inner:
            flat = [row for value in values for row in rows(value, inner)]
            missing += missing_keys(inner, flat, f"{path}{name}.")
    return missing


def types_in(annotation: Any) -> list[Any]:
    if get_origin(annotation) is None:
        return [annotation]
    return [found for part in get_args(annotation) for found in types_in(part)]


def rows(value: Any, section: type[BaseModel]) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return value
    if set(value) & set(section.model_fields):
        return [value]
    return list(value.values())
