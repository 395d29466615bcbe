"""One typed tree read from ``config.toml`` in the home; what it says is what every room gets.

Secrets do not stand here: a config names them (``api_key = "env:OPENAI_API_KEY"``), and ``Secrets`` finds their values
in the environment or in ``secrets.toml``, a file of mode 0600 beside the config.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pepper_tui.model import Priority

CONFIG_FILE = "config.toml"
SECRETS_FILE = "secrets.toml"
DATABASE = "pepper.db"


def default_home() -> Path:
    """``$PEPPER_HOME``, else ``$XDG_DATA_HOME/pepper``, else ``~/.local/share/pepper``."""
    own = os.environ.get("PEPPER_HOME")
    if own:
        return Path(own).expanduser()
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "pepper"


class ConfigError(Exception):
    """The config can't be used. ``problems`` are lines that name file, line and key, each with the way out."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, so that a misspelt key never passes in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {name!r}; use an IANA name such as 'Europe/Berlin'") from error
    return name


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Paths = Annotated[list[Path], BeforeValidator(_one_or_many)]
"""A list, or one alone as a plain string."""
Words = Annotated[list[str], BeforeValidator(_one_or_many)]
"""The same of text."""
ZoneName = Annotated[str, AfterValidator(_known_zone)]
Seconds = Annotated[float, Field(gt=0)]


class User(Section):
    name: str = ""
    addresses: Words = []
    zone: ZoneName = ""  # empty: the machine's own
    vips: Words = []  # addresses, or domains as "@example.com"
    profile: str = ""  # what the assistant should know of the user, in words


class RoleModel(Section):
    """One role's model; empty fields fall back to ``[models]``, but its key is never sent to another ``base_url``."""

    name: str = ""
    base_url: str = ""
    api_key: str = ""


MODEL_ROLES: Final = ("scheduler", "worker", "triage", "summary")
"""What a model is asked for; each may have one of its own."""


class Price(Section):
    """Price of a model, per million tokens, in the currency of the budget."""

    input: Annotated[float, Field(ge=0)]
    cached: Annotated[float, Field(ge=0)] = 0.0
    output: Annotated[float, Field(ge=0)]


class Models(Section):
    """With neither ``base_url`` nor a value for ``api_key``, the offline model answers."""

    name: str = "gpt-5-mini"
    base_url: str = ""
    api_key: str = "env:OPENAI_API_KEY"
    first_token_timeout: Seconds = 30.0
    timeout: Seconds = 120.0
    max_tokens: Annotated[int, Field(ge=16)] = 2048
    scheduler: RoleModel = RoleModel()
    worker: RoleModel = RoleModel()
    triage: RoleModel = RoleModel()
    summary: RoleModel = RoleModel()
    prices: dict[str, Price] = {}


class Budget(Section):
    daily: Annotated[float, Field(ge=0)] = 2.0
    chat_reserve: Annotated[float, Field(ge=0)] = 0.5
    # for models without a price: tokens a day, so that a free local model is bounded too
    daily_tokens: Annotated[int, Field(ge=0)] = 2_000_000


class Scheduler(Section):
    batch_size: Annotated[int, Field(ge=1, le=200)] = 20
    retries: Annotated[int, Field(ge=0, le=10)] = 3
    retry_base: Seconds = 1.0
    retry_cap: Seconds = 60.0
    max_preemptions: Annotated[int, Field(ge=0)] = 3
    entry_limit: Annotated[int, Field(ge=200)] = 4000  # characters of one history entry
    history_limit: Annotated[int, Field(ge=2000)] = 60_000  # characters at which compaction begins
    prompt_limit: Annotated[int, Field(ge=4000)] = 120_000  # characters that no prompt goes over
    compact_keep: Annotated[float, Field(gt=0, lt=1)] = 0.4  # share of the history left as it is
    calls_per_step: Annotated[int, Field(ge=1)] = 8
    max_rounds: Annotated[int, Field(ge=1)] = 30  # steps in a row that only results have started
    # what the offline model left alone: of how many days, and how many at most, a model judges at its first start
    judge_days: Annotated[float, Field(ge=0, le=30)] = 3.0
    judge_limit: Annotated[int, Field(ge=1, le=200)] = 40


class Tools(Section):
    concurrency: Annotated[int, Field(ge=1)] = 8
    timeout: Seconds = 60.0
    result_limit: Annotated[int, Field(ge=1000)] = 200_000  # characters kept of one result
    approval_ttl: Seconds = 3 * 86400.0
    open_cards: Annotated[int, Field(ge=1)] = 5  # open approvals per origin
    undo_seconds: Annotated[float, Field(ge=0)] = 3.0  # between an approval and its attempt


class Smtp(Section):
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    user: str = ""
    password: str = ""  # "env:NAME" or "secret:NAME"
    timeout: Seconds = 30.0


class Mail(Section):
    maildir: Paths = []
    address: str = ""  # the From of what is sent; empty: the first of user.addresses
    smtp: Smtp | None = None
    scan_interval: Seconds = 60.0  # a slow look beside the watch, for file systems without events
    max_bytes: Annotated[int, Field(ge=10_000)] = 25_000_000  # of one message that are read
    attach_from: Paths = []  # folders whose files may be attached to what is sent
    templates: dict[str, str] = {}  # for drafts by a watch; {name}, {first_name}, {subject}, {me}


class Calendar(Section):
    paths: Paths = []  # .ics files or folders of them
    starts_soon: Annotated[int, Field(ge=0)] = 10  # minutes before an event
    scan_interval: Seconds = 60.0
    horizon_days: Annotated[int, Field(ge=1, le=400)] = 60


class ClockEntry(Section):
    """A signal made by the clock: by a cron line (in the user's zone) or an interval in seconds."""

    name: str
    text: str
    cron: str = ""
    every: Annotated[float, Field(ge=0)] = 0.0
    priority: Priority = Priority.NORMAL

    @model_validator(mode="after")
    def _one_rhythm(self) -> ClockEntry:
        if bool(self.cron) == bool(self.every):
            raise ValueError(f"clock entry {self.name!r} wants either cron or every")
        return self


class Watch(Section):
    """A rule of the user's: what to look for, how urgent it is, and what to do then. All given conditions must hold."""

    name: str
    source: str = ""  # mail, calendar, clock or an own feed; empty: any
    sender: str = ""  # an address, or a domain as "@example.com"
    words: Words = []  # any of them, as whole words, in subject or text
    thread: str = ""  # words of the thread's subject
    label: str = ""  # Maildir folder, or calendar category
    priority: Priority = Priority.HIGH
    notify: bool = False
    draft: str = ""  # name of a template in mail.templates
    brief: Annotated[int, Field(ge=0)] = 0  # minutes before an event
    follow: Annotated[float, Field(ge=0)] = 0.0  # hours to wait for the next mail of this thread
    remind: str = ""  # e.g. "tomorrow 9am"


class OwnFeed(Section):
    name: str
    file: Path
    settings: dict[str, Any] = {}


class Worker(Section):
    """A kind of worker: by prompt and tools, or a class in ``file``."""

    name: str
    stateful: bool = False
    prompt: str = ""
    tools: list[str] = []  # empty: every tool of effect read or local
    model: str = ""
    file: Path | None = None
    max_steps: Annotated[int, Field(ge=1)] = 20
    max_seconds: Seconds = 3600.0
    max_cost: Annotated[float, Field(ge=0)] = 0.5


class Ui(Section):
    theme: Literal["pepper", "pepper-light"] = "pepper"
    refresh: Annotated[float, Field(ge=1, le=30)] = 10.0  # times a second at most
    bell: bool = True


class Config(Section):
    user: User = User()
    models: Models = Models()
    budget: Budget = Budget()
    scheduler: Scheduler = Scheduler()
    tools: Tools = Tools()
    mail: Mail = Mail()
    calendar: Calendar = Calendar()
    clock: list[ClockEntry] = []
    watch: list[Watch] = []
    feed: list[OwnFeed] = []
    worker: list[Worker] = []
    worker_slots: Annotated[int, Field(ge=1)] = 4
    ui: Ui = Ui()

    @property
    def sender_address(self) -> str:
        return self.mail.address or (self.user.addresses[0] if self.user.addresses else "")

    @model_validator(mode="after")
    def _names_resolve(self) -> Config:
        for watch in self.watch:
            if watch.draft and watch.draft not in self.mail.templates:
                raise ValueError(f"watch {watch.name!r} names the template {watch.draft!r}; add it to [mail.templates]")
        if self.mail.smtp and not self.sender_address:
            raise ValueError("mail.smtp is set but no sender; set mail.address or user.addresses")
        return self


def load_config(home: Path) -> Config:
    """The config of ``home``; relative paths in it are taken from there.

    Raises ``FileNotFoundError`` where there is none, ``ConfigError`` for one that can't be used.
    """
    path = home / CONFIG_FILE
    return parse_config(path.read_text(encoding="utf-8"), path)


def parse_config(source: str, path: Path) -> Config:
    """The config that ``source``, the text of ``path``, says. Raises ``ConfigError``."""
    try:
        tree = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: {error}"]) from error
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError([_problem(path, source, problem) for problem in error.errors()]) from error
    return _anchored(config, path.parent)


def _anchored(config: Config, base: Path) -> Config:
    def at(path: Path) -> Path:
        return base / path.expanduser()

    folders = {"maildir": config.mail.maildir, "attach_from": config.mail.attach_from}
    mail = config.mail.model_copy(update={name: [at(p) for p in paths] for name, paths in folders.items()})
    calendar = config.calendar.model_copy(update={"paths": [at(p) for p in config.calendar.paths]})
    feeds = [feed.model_copy(update={"file": at(feed.file)}) for feed in config.feed]
    workers = [w.model_copy(update={"file": at(w.file)}) if w.file else w for w in config.worker]
    return config.model_copy(update={"mail": mail, "calendar": calendar, "feed": feeds, "worker": workers})


def _problem(path: Path, source: str, problem: Any) -> str:
    where: tuple[str | int, ...] = problem["loc"]
    key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "unknown key; see config.example.toml for all that there are"
    line = _line_of(source, where)
    return f"{path}:{line}: {key + ': ' if key else ''}{message}"


def place_of(path: Path, source: str, key: str) -> str:
    """``path:line: key`` of ``key`` in ``source``, the text of ``path``; as in ``feed[2].file``, counted from 1."""
    parts = (int(part) - 1 if part.isdigit() else part for part in re.split(r"[.\[\]]+", key))
    return f"{path}:{_line_of(source, tuple(parts))}: {key}"


def _line_of(source: str, where: tuple[str | int, ...]) -> int:
    """The line, from 1, that sets the key at ``where``, or of the nearest table that holds it."""
    wanted = [part for part in where if not (isinstance(part, str) and not part)]
    best, best_depth = 1, 0
    table: list[str | int] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(source.splitlines(), 1):
        header = re.match(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]", line)
        if header:
            name = ".".join(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
            table = here = _numbered(name.split("."), counts)
        else:
            assignment = re.match(r"\s*([\w\"'.-]+)\s*=", line)
            if not assignment:
                continue
            here = table + [part.strip("\"'") for part in assignment[1].split(".")]
        if wanted[: len(here)] == here and len(here) > best_depth:
            best, best_depth = number, len(here)
    return best


def _numbered(parts: list[str], counts: dict[str, int]) -> list[str | int]:
    """The path of a table, with the number of its entry after the name of each array of tables on the way."""
    path: list[str | int] = []
    for depth, part in enumerate(parts, 1):
        path.append(part)
        if (name := ".".join(parts[:depth])) in counts:
            path.append(counts[name])
    return path


class Secrets:
    """Values that a config names: ``env:NAME`` from the environment, ``secret:NAME`` from ``secrets.toml``."""

    def __init__(self, home: Path, environment: dict[str, str] | None = None) -> None:
        self._path = home / SECRETS_FILE
        self._environment = dict(os.environ) if environment is None else environment

    def value(self, name: str) -> str:
        """The value, or empty where the environment has none.

        Raises ``ConfigError`` for a secret that stands in the config itself, an unknown one, or a file others may read.
        """
        if not name:
            return ""
        kind, _, key = name.partition(":")
        if kind == "env":
            return self._environment.get(key, "")
        if kind == "secret":
            return self._from_file(key)
        raise ConfigError(
            ["a secret stands in the config itself; write env:NAME, or secret:NAME and put it in secrets.toml"]
        )

    def _from_file(self, key: str) -> str:
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
        except FileNotFoundError as error:
            raise ConfigError([f"{self._path}: not there; create it with mode 0600 and a line {key} = …"]) from error
        if mode & 0o077:
            raise ConfigError([f"{self._path}: others may read it (mode {mode:04o}); run: chmod 600 {self._path}"])
        try:
            secrets = tomllib.loads(self._path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([f"{self._path}: {error}"]) from error
        if key not in secrets:
            raise ConfigError([f"{self._path}: has no {key}; add a line {key} = …"])
        return str(secrets[key])
