"""The config sections about thinking and acting: scheduler, tools, workers, tool servers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pepper_tui.config.base import Seconds, Section, Words, names_its_secrets, refers_to_secret
from pepper_tui.config.secret.in_clear import REFERENCE, in_clear, secret_in_url

Offered = Literal["auto", "all", "few"]
"""Which tools a step offers to the model."""


class Scheduler(Section):
    batch_size: Annotated[int, Field(ge=1, le=200)] = 20
    max_preemptions: Annotated[int, Field(ge=0)] = 3
    entry_limit: Annotated[int, Field(ge=200)] = 12_000  # characters of one history entry
    history_limit: Annotated[int, Field(ge=2000)] = 60_000  # characters at which compaction begins
    prompt_limit: Annotated[int, Field(ge=4000)] = 120_000  # characters that no prompt goes over
    compact_keep: Annotated[float, Field(gt=0, lt=1)] = 0.4  # share of the history that compaction leaves as it is
    calls_per_step: Annotated[int, Field(ge=1)] = 8  # running at the same time; further ones wait
    max_rounds: Annotated[int, Field(ge=1)] = 30  # consecutive steps that only tool results have triggered
    # signals skipped offline that a model reviews on its first start: maximum age in days, and count
    judge_days: Annotated[float, Field(ge=0, le=30)] = 3.0
    judge_limit: Annotated[int, Field(ge=1, le=200)] = 40
    priority: Path | None = None  # a Python file with determine_priority(event_data): which signal goes first
    # the tools offered to the model: the everyday ones and those the conversation is about; all; or at most twelve
    tools: Offered = "auto"
    gather: Annotated[float, Field(ge=0, le=5)] = 0.3  # seconds that a result waits for other running calls


class Fetch(Section):
    """Reading web pages."""

    private_hosts: Words = []  # hosts that may be read although they are not on the public internet
    timeout: Seconds = 20.0
    max_bytes: Annotated[int, Field(ge=10_000, le=20_000_000)] = 2_000_000  # read from one page


class Judging(Section):
    """Signals that the rules leave open, judged by the model of ``models.triage``."""

    enabled: bool = True
    batch_size: Annotated[int, Field(ge=1, le=50)] = 20
    wait: Annotated[float, Field(ge=0, le=300)] = 3.0  # seconds to collect signals for one call
    timeout: Seconds = 90.0  # generous, as a model may think before it judges


class Tools(Section):
    concurrency: Annotated[int, Field(ge=1)] = 8
    timeout: Seconds = 60.0
    result_limit: Annotated[int, Field(ge=1000)] = 200_000  # characters kept of one result
    approval_ttl: Seconds = 3 * 86400.0
    open_cards: Annotated[int, Field(ge=1)] = 5  # open approvals per asker; more wait for room
    undo_seconds: Annotated[float, Field(ge=0)] = 10.0  # between an approval and its attempt
    fetch: Fetch = Fetch()


class OwnTools(Section):
    """A Python file with tools that Pepper may call."""

    file: Path


class Worker(Section):
    """A kind of worker: defined by prompt and tools, or by a class in ``file``."""

    name: str
    stateful: bool = False
    prompt: str = ""
    tools: list[str] = []  # empty: every tool with the effect read or local
    model: str = ""
    file: Path | None = None
    max_steps: Annotated[int, Field(ge=1)] = 20
    max_seconds: Seconds = 3600.0
    max_cost: Annotated[float, Field(ge=0)] = 0.5


McpEffect = Literal["read", "write", "send"]
"""What the tools of an MCP server do: read, change something outside, or send something to somebody."""


class McpServer(Section):
    """An MCP server: a program that speaks over standard input and output, or a URL (streamable HTTP)."""

    command: str = ""
    # values may end in env:NAME or secret:NAME; other users of this machine can see a program's arguments
    args: list[str] = []
    env: dict[str, str] = {}  # for the program, which inherits little else; values may end in env:NAME or secret:NAME
    cwd: Path | None = None  # empty: the user's home folder
    url: str = ""
    headers: dict[str, str] = {}  # e.g. Authorization = "Bearer secret:NAME"
    effect: McpEffect = "write"  # for each tool that `effects` does not name
    effects: dict[str, McpEffect] = {}  # keyed by the tool's own name
    tools: Words = []  # offer only these of its tools, by their own names, * as a wildcard; empty: all
    timeout: Seconds = 60.0  # without an answer or a progress message
    start_timeout: Seconds = 30.0

    @model_validator(mode="after")
    def _reachable(self) -> McpServer:
        if bool(self.command) == bool(self.url):
            raise ValueError("needs either command (a program) or url")
        for key in ("args", "env", "cwd") if self.url else ("headers",):
            if getattr(self, key):
                raise ValueError(f"{key} goes with {'command' if self.url else 'url'} only")
        if self.url and not re.match(r"https?://[^/\s]", self.url):
            raise ValueError("url must begin with http:// or https://")
        held = secret_in_url(self.url)
        if held == "a password":
            raise ValueError('url must not contain a password; use headers = { Authorization = "Basic secret:NAME" }')
        if held:
            raise ValueError("url must not contain a secret, as it is shown on cards; write secret:NAME instead")
        for key, values in (("env", self.env), ("headers", self.headers)):
            names_its_secrets(key, values)
        if self.url and in_clear(self.url):
            where = "headers" if any(map(refers_to_secret, self.headers.values())) else ""
            if where or REFERENCE.search(self.url):
                raise ValueError(f"a secret in {where or 'url'} would go over the network unencrypted; use https://")
        return self


def mcp_tables(value: Any) -> Any:
    if isinstance(value, list):
        raise ValueError("write [mcp.NAME] for each server, not [[mcp]]")
    for name in value if isinstance(value, dict) else ():
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,23}", name):
            raise ValueError(f"{name!r} can't name a server: lower-case letters, digits and -, at most 24")
    return value
