"""What is wrong with a value of the config is told in Pepper's words, for every kind of key that there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pepper_tui.config import Config, ConfigError, parse_config
from pepper_tui.config.problem_words import PATTERNS
from pepper_tui.connectors.registry import connector_of, named, own_kinds

ACCOUNT = '[[account]]\nid = "work"\nkind = "imap"\naddress = "a@x.org"\nhost = "h"\npassword = "env:P"\n'
ENGLISH = ("Input should", "String should", "Field required", "Value error", "valid ", "List should", "pattern")


def _patterns(model: type[BaseModel]) -> Iterator[str]:
    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str):
                yield node["pattern"]
            for each in node.values():
                yield from walk(each)
        elif isinstance(node, list):
            for each in node:
                yield from walk(each)

    yield from walk(model.model_json_schema(mode="validation"))


def _models() -> list[type[BaseModel]]:
    settings = [connector_of(kind).settings for kind in sorted(own_kinds())]
    return [Config, *(each for each in settings if each is not None)]


@pytest.mark.parametrize("model", _models(), ids=lambda each: each.__module__)
def test_every_pattern_has_words(model: type[BaseModel]) -> None:
    assert {*_patterns(model)} <= {*PATTERNS}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("worker_slots = 1.5", "worker_slots: has to be a whole number"),
        ('worker_slots = "many"', "worker_slots: has to be a whole number"),
        ("worker_slots = 0", "worker_slots: has to be at least 1"),
        ("user = 5", "user: has to be a table"),
        ("mcp = 5", "mcp: "),
        ("[user]\nname = 5", "user.name: has to be text in quotes"),
        ('[user]\nlocale = "english"', 'user.locale: has to be a language, as in "en" or "de_DE"'),
        ("[ui]\nbell = 5", "ui.bell: has to be true or false"),
        ("[ui]\nrefresh = 90", "ui.refresh: has to be at most 30"),
        ('[ui]\ntheme = "pink"', 'ui.theme: has to be one of: "pepper", "pepper-light"'),
        ("[mail]\nscan_interval = 0", "mail.scan_interval: has to be more than 0"),
        ("[mail]\nscan_intervall = 5.0", "did you mean scan_interval?"),
        ('[[exec]]\nname = "a"\ncommand = []', "exec[1].command: needs at least one entry"),
        ('[[exec]]\nname = "a"', "exec[1].command: has to be set"),
        (ACCOUNT + "port = 99999", "account work: port: has to be at most 65535"),
        (ACCOUNT + "prot = 99", "account work: prot: imap has no such key; did you mean port?"),
        (ACCOUNT + '[account.smtp]\nhots = "h"', "account work: smtp.host: has to be set"),
        (
            ACCOUNT + '[account.smtp]\nhost = "h"\nprot = 1',
            "account work: smtp.prot: imap has no such key; did you mean port?",
        ),
        (ACCOUNT.replace("a@x.org", "a"), "account work: address: has to be a mail address, as in you@example.org"),
        (ACCOUNT + "paused = 5", "account work: paused: has to be true or false"),
    ],
)
def test_each_kind_of_mistake_is_told_in_plain_words(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "config.toml").write_text(line + "\n")
    with pytest.raises(ConfigError) as refused:
        [*named(parse_config(line + "\n", tmp_path / "config.toml"), tmp_path)]
    told = "\n".join(refused.value.problems)
    assert words in told
    assert not [each for each in ENGLISH if each in told]
    assert "account[" not in told
