"""One typed tree read from ``config.toml`` in the home; what it says is what every room gets.

Secrets do not stand here: a config names them (``api_key = "env:OPENAI_API_KEY"``), and ``Secrets`` finds their values
in the environment or in ``secrets.toml``, a file of mode 0600 beside the config.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self, get_args, get_origin
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.config.in_clear import REFERENCE, SECRET_NAME, in_clear, is_this_machine, secret_in_url
from pepper_tui.config.renamed import RENAMED, OldKey, Rename, Renewed, Where, renewed
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


def _readable_time(words: str) -> str:
    if words:
        from pepper_tui.clock.words import one_time  # with a parser: only where such words stand

        one_time(words)
    return words


def _known_zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {name!r}; use an IANA name such as 'Europe/Berlin'") from error
    return name


_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def minutes_of_day(span: str) -> tuple[int, int]:
    """Start and end of ``span``, e.g. "09:00-17:00", as minutes of the day. Raises ``ValueError`` with words."""
    found = re.fullmatch(r"\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*", span)
    start, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
    if not found or int(found[2]) > 59 or int(found[4]) > 59 or not start < end <= 24 * 60:
        raise ValueError(f"{span!r} is no span of a day; write it as '09:00-17:00'")
    return start, end


def _span_of_day(span: str) -> str:
    minutes_of_day(span)
    return span


def _dotted(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    flat: dict[str, Any] = {}
    for key, found in value.items():
        inner = _dotted(found)
        flat |= {f"{key}.{name}": each for name, each in inner.items()} if isinstance(inner, dict) else {key: inner}
    return flat


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Paths = Annotated[list[Path], BeforeValidator(_one_or_many)]
"""A list, or one alone as a plain string."""
Words = Annotated[list[str], BeforeValidator(_one_or_many)]
"""The same of text."""
KeyIds = Annotated[dict[str, str], BeforeValidator(_dotted)]
"""Ids with dots in them, whether the TOML has quotes around them or not."""
ZoneName = Annotated[str, AfterValidator(_known_zone)]
TimeWords = Annotated[str, AfterValidator(_readable_time)]
"""A time in words that is one time whenever it is said."""
Seconds = Annotated[float, Field(gt=0)]


class User(Section):
    name: str = ""
    addresses: Words = []
    zone: ZoneName = ""  # empty: the machine's own
    locale: Annotated[str, Field(pattern=r"^([a-z]{2}([-_][A-Z]{2})?)?$")] = ""  # empty: the machine's own
    vips: Words = []  # addresses, or domains as "@example.com"
    profile: str = ""  # what the assistant should know of the user, in words


def _without_a_secret(url: str) -> str:
    if url and (held := secret_in_url(url)):
        raise ValueError(f'must not hold {held}, as it is shown; write api_key = "secret:NAME" instead')
    return url


BaseUrl = Annotated[str, AfterValidator(_without_a_secret)]
"""The address of a model server. Its key is given apart."""


Effort = Literal["", "none", "minimal", "low", "medium", "high", "xhigh"]


class ModelOptions(Section):
    """How a model is called. What a role or a named model leaves out is that of ``[models]``; headers and
    ``extra_body`` of ``[models]`` go to its own ``base_url`` only."""

    max_tokens: Annotated[int, Field(ge=16)] | None = None  # of one response, thinking included
    idle_timeout: Seconds | None = None  # of silence; none: 120
    first_byte_timeout: Seconds | None = None  # none: idle_timeout, or 600 for a server nearby that may load a model
    reasoning_effort: Effort = ""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    headers: dict[str, str] = {}  # values may end in env:NAME or secret:NAME
    extra_body: dict[str, Any] = {}  # further keys of the request, as the provider documents them

    @model_validator(mode="after")
    def _says_what_is_its_own(self) -> Self:
        for name, value in self.headers.items():
            if SECRET_NAME.search(name) and value and not refers_to_secret(value):
                raise ValueError(f"headers.{name} looks like a secret; write env:NAME or secret:NAME instead")
        if taken := sorted(self.extra_body.keys() & {"messages", "model", "tools", "stream", "tool_choice", "n"}):
            raise ValueError(f"extra_body must not set {', '.join(taken)}: that is Pepper's own to say")
        return self


class RoleModel(ModelOptions):
    """One role's model; empty fields fall back to ``[models]``, but its key is never sent to another ``base_url``."""

    name: str = ""
    base_url: BaseUrl = ""
    api_key: str = ""
    fallback: str = ""
    retries: Annotated[int, Field(ge=0, le=10)] | None = None
    retry_base: Seconds | None = None
    retry_cap: Seconds | None = None


class NamedModel(ModelOptions):
    """A model that a ``fallback`` can name."""

    name: str
    base_url: BaseUrl = ""
    api_key: str = ""


class EmbeddingModel(Section):
    """An endpoint for the search by meaning; without a name the offline embedder of this machine does it."""

    name: str = ""
    base_url: BaseUrl = ""  # empty: that of [models], with its key
    api_key: str = ""
    dimensions: Annotated[int, Field(ge=0, le=8192)] = 0  # to ask for; 0: the model's own
    batch: Annotated[int, Field(ge=1, le=2048)] = 64  # texts a request
    floor: Annotated[float, Field(ge=-1, le=1)] = 0.2  # cosine below which nothing is shown; differs by model


MODEL_ROLES: Final = ("scheduler", "worker", "triage", "summary")
"""What a model is asked for; each may have one of its own."""


class Price(Section):
    """Price of a model, per million tokens, in the currency of the budget."""

    input: Annotated[float, Field(ge=0)]
    cached: Annotated[float, Field(ge=0)] = 0.0
    output: Annotated[float, Field(ge=0)]


class Models(ModelOptions):
    """With neither ``base_url`` nor a value for ``api_key``, the offline model answers."""

    name: str = "gpt-5-mini"
    base_url: BaseUrl = ""
    api_key: str = "env:OPENAI_API_KEY"
    max_tokens: Annotated[int, Field(ge=16)] = 8192
    scheduler: RoleModel = RoleModel()
    worker: RoleModel = RoleModel()
    triage: RoleModel = RoleModel()
    summary: RoleModel = RoleModel()
    embedding: EmbeddingModel = EmbeddingModel()
    # answers when the model can't be had: a name in `named`, a role, or another model at the same endpoint
    fallback: str = ""
    named: dict[str, NamedModel] = {}
    retries: Annotated[int, Field(ge=0, le=10)] | None = None  # none: 3, or 1 where there is a fallback
    retry_base: Seconds = 1.0
    retry_cap: Seconds = 60.0
    prices: dict[str, Price] = {}


class Budget(Section):
    daily: Annotated[float, Field(ge=0)] = 2.0
    chat_reserve: Annotated[float, Field(ge=0)] = 0.5
    # for models without a price: tokens a day, so that a free local model is bounded too
    daily_tokens: Annotated[int, Field(ge=0)] = 2_000_000


Offered = Literal["auto", "all", "few"]
"""Which tools a step tells the model of."""


class Scheduler(Section):
    batch_size: Annotated[int, Field(ge=1, le=200)] = 20
    max_preemptions: Annotated[int, Field(ge=0)] = 3
    entry_limit: Annotated[int, Field(ge=200)] = 12_000  # characters of one history entry
    history_limit: Annotated[int, Field(ge=2000)] = 60_000  # characters at which compaction begins
    prompt_limit: Annotated[int, Field(ge=4000)] = 120_000  # characters that no prompt goes over
    compact_keep: Annotated[float, Field(gt=0, lt=1)] = 0.4  # share of the history left as it is
    calls_per_step: Annotated[int, Field(ge=1)] = 8  # under way at once; more wait their turn
    max_rounds: Annotated[int, Field(ge=1)] = 30  # steps in a row that only results have started
    # what the offline model left alone: of how many days, and how many at most, a model judges at its first start
    judge_days: Annotated[float, Field(ge=0, le=30)] = 3.0
    judge_limit: Annotated[int, Field(ge=1, le=200)] = 40
    priority: Path | None = None  # a Python file with determine_priority(event_data): which signal goes first
    # the tools that the model is told of: those of every day and of what the talk is about; all; or twelve at most
    tools: Offered = "auto"
    gather: Annotated[float, Field(ge=0, le=5)] = 0.3  # seconds that a result waits for others that still run


class Fetch(Section):
    """Reading pages of the web."""

    private_hosts: Words = []  # hosts that may be read although they are not on the open internet
    timeout: Seconds = 20.0
    max_bytes: Annotated[int, Field(ge=10_000, le=20_000_000)] = 2_000_000  # of one page that are read


class Judging(Section):
    """What the rules leave open, judged by the model of ``models.triage`` before it becomes a signal."""

    enabled: bool = True
    batch_size: Annotated[int, Field(ge=1, le=50)] = 20
    wait: Annotated[float, Field(ge=0, le=300)] = 3.0  # seconds to gather what one call judges
    timeout: Seconds = 90.0  # a model may think before it judges


class Tools(Section):
    concurrency: Annotated[int, Field(ge=1)] = 8
    timeout: Seconds = 60.0
    result_limit: Annotated[int, Field(ge=1000)] = 200_000  # characters kept of one result
    approval_ttl: Seconds = 3 * 86400.0
    open_cards: Annotated[int, Field(ge=1)] = 5  # open approvals per asker; more wait for room
    undo_seconds: Annotated[float, Field(ge=0)] = 10.0  # between an approval and its attempt
    fetch: Fetch = Fetch()


class Smtp(Section):
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    user: str = ""
    password: str = ""  # "env:NAME" or "secret:NAME"
    timeout: Seconds = 30.0

    @model_validator(mode="after")
    def _keeps_its_password(self) -> Smtp:
        if self.security == "none" and (self.user or self.password) and not is_this_machine(self.host):
            raise ValueError(
                f"user and password would go unencrypted to {self.host}; set security to starttls or tls"
                " (none is for this machine, or without a user)"
            )
        return self


class Mail(Section):
    maildir: Paths = []
    mbox: Paths = []  # files that mail programs append to
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
    work_hours: Annotated[str, AfterValidator(_span_of_day)] = "09:00-17:00"  # where free time is looked for
    work_days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = ["mon", "tue", "wed", "thu", "fri"]

    @property
    def work_minutes(self) -> tuple[int, int]:
        """``work_hours`` as minutes of the day."""
        return minutes_of_day(self.work_hours)

    @property
    def work_weekdays(self) -> frozenset[int]:
        """``work_days``, Monday as 0."""
        return frozenset(_WEEKDAYS.index(day) for day in self.work_days)


class Files(Section):
    folders: Paths = []  # whose text files may be read


class ClockEntry(Section):
    """An older form of ``[[rule]]`` with a time and no act: a signal made by the clock, by a cron line (in the user's
    zone) or an interval in seconds."""

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


class Rule(Section):
    """What the user orders: a condition, of which all that is given must hold, and acts that code carries out then.

    See ``model.Rule``, which it becomes.
    """

    name: Annotated[str, Field(min_length=1, max_length=60)]
    source: str = ""  # mail, calendar, clock or an own feed; empty: any
    sender: Words = []  # any of these addresses, or domains as "@example.com"
    words: Words = []  # any of them, as whole words, in subject or text
    thread: str = ""  # words of the thread's subject
    label: str = ""  # Maildir folder, or calendar category
    known: bool = False  # you have written to the sender, or named them in user.vips
    question: bool = False  # a mail addressed to you that asks something
    cron: str = ""  # a time, in the user's zone
    every: Annotated[float, Field(ge=0)] = 0.0  # seconds
    text: str = ""  # what a time says; empty: the name
    before: Annotated[int, Field(ge=0)] = 0  # minutes before an event
    after: str = ""  # the name of a rule whose follow-up was not answered
    priority: Priority = Priority.HIGH
    notify: bool = False
    draft: str = ""  # name of a template in mail.templates
    reply: str = ""  # the words of a draft, where no template is named
    remind: TimeWords = ""  # e.g. "tomorrow 9am"
    follow_up: Annotated[float, Field(ge=0)] = 0.0  # hours to wait for an answer in the thread
    nudge: str = ""  # template of a draft where none came
    brief: Annotated[int, Field(ge=0)] = 0  # minutes before an event; true: of the day, at a time
    ask: str = ""  # a prompt for the model

    @model_validator(mode="after")
    def _can_match(self) -> Rule:
        if self.cron and self.every:
            raise ValueError(f"rule {self.name!r} wants either cron or every, not both")
        timed = bool(self.cron or self.every)
        mail = self.source or self.sender or self.words or self.thread or self.label or self.known or self.question
        looks = mail or self.before or self.after
        if not (timed or looks):
            raise ValueError(
                f"rule {self.name!r} has no condition; give it source, sender, words, thread, label, known, question, "
                "cron, every, before or after"
            )
        if timed and looks:
            raise ValueError(f"rule {self.name!r} wants either a time or something to look for; make two rules of it")
        if self.draft and self.reply:
            raise ValueError(f"rule {self.name!r} wants either draft (a template's name) or reply (its words)")
        if self.nudge and not self.follow_up:
            raise ValueError(f"rule {self.name!r}: nudge goes with follow_up")
        return self


class Watch(Section):
    """An older form of ``[[rule]]``, with ``follow`` for ``follow_up``."""

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
    remind: TimeWords = ""  # e.g. "tomorrow 9am"


FEED_NAMES: Final = frozenset({"mail", "mbox", "calendar", "clock", "unjudged"})
"""Names of feeds that no own one may have."""


class ExecFeed(Section):
    """A feed that is a program: each line that it prints is a JSON object."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    command: Annotated[Words, Field(min_length=1)]  # the program and its arguments; no shell reads them
    every: Annotated[float, Field(ge=0)] = 0.0  # seconds after its end to the next run; 0: it is meant to run on
    env: dict[str, str] = {}  # of the program, which gets little else; values may end in env:NAME or secret:NAME
    per_minute: Annotated[int, Field(ge=1, le=100_000)] = 120  # lines taken; the program waits with the others
    kind: Literal["event", "state"] = "event"  # of a matter: each signal adds to it, or replaces the one before

    @model_validator(mode="after")
    def _names_its_secrets(self) -> ExecFeed:
        for name, value in self.env.items():
            if _SECRET_NAME.search(name) and value and not refers_to_secret(value):
                raise ValueError(f"env.{name} looks like a secret; write env:NAME or secret:NAME instead")
        return self


class OwnFeed(Section):
    name: str
    file: Path
    kind: Literal["event", "state"] = "event"  # of a matter: each signal adds to it, or replaces the one before
    settings: dict[str, Any] = {}


class Conversation(Section):
    """A conversation that a model reads for the user, and what to tell of. All given conditions must hold."""

    name: Annotated[str, Field(pattern=r"^\w[\w -]{0,39}$")]
    look_for: Annotated[str, Field(min_length=3, max_length=1000)]  # in words
    source: str = ""  # mail, calendar, clock or an own feed; empty: any
    sender: Words = []  # any of these addresses, or domains as "@example.com"
    thread: str = ""  # words of the thread's subject
    label: str = ""  # Maildir folder
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.7
    priority: Priority = Priority.HIGH
    wait: Annotated[float, Field(ge=0, le=86400)] = 60.0  # seconds to gather what one call reads
    daily_calls: Annotated[int, Field(ge=1, le=1000)] = 20

    @model_validator(mode="after")
    def _follows_something(self) -> Conversation:
        if not (self.source or self.sender or self.thread or self.label):
            raise ValueError(f"conversation {self.name!r} wants at least one of source, sender, thread, label")
        return self


class OwnTools(Section):
    """A Python file whose tools Pepper may call."""

    file: Path


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


McpEffect = Literal["read", "write", "send"]
"""What the tools of an MCP server do: look, change something outside, or send something to somebody."""
_REFERENCE: Final = re.compile(r"(?:env|secret):\S+$")
_SHORTEST_SECRET: Final = 6
_SECRET_NAME: Final = re.compile(r"authorization|cookie|token|secret|password|api.?key", re.I)


def refers_to_secret(value: str) -> bool:
    """Whether ``value`` ends in ``env:NAME`` or ``secret:NAME``."""
    return _REFERENCE.search(value) is not None


class McpServer(Section):
    """An MCP server: a program that speaks over its standard input and output, or a URL (streamable HTTP)."""

    command: str = ""
    args: list[
        str
    ] = []  # they may end in env:NAME or secret:NAME; others on this machine can see what a program is given
    env: dict[str, str] = {}  # of the program, which gets little else; values may end in env:NAME or secret:NAME
    cwd: Path | None = None  # empty: the user's home folder
    url: str = ""
    headers: dict[str, str] = {}  # e.g. Authorization = "Bearer secret:NAME"
    effect: McpEffect = "write"  # of each tool that `effects` does not name
    effects: dict[str, McpEffect] = {}  # by the tool's own name
    tools: Words = []  # only these of its tools, by its own names, * for any; empty: all
    timeout: Seconds = 60.0  # without an answer or a sign of progress
    start_timeout: Seconds = 30.0

    @model_validator(mode="after")
    def _reachable(self) -> McpServer:
        if bool(self.command) == bool(self.url):
            raise ValueError("wants either command (a program) or url")
        for key in ("args", "env", "cwd") if self.url else ("headers",):
            if getattr(self, key):
                raise ValueError(f"{key} goes with {'command' if self.url else 'url'} only")
        if self.url and not re.match(r"https?://[^/\s]", self.url):
            raise ValueError("url must begin with http:// or https://")
        held = secret_in_url(self.url)
        if held == "a password":
            raise ValueError('url must not hold a password; use headers = { Authorization = "Basic secret:NAME" }')
        if held:
            raise ValueError("url must not hold a secret, as it is shown on cards; write secret:NAME in its place")
        for key, values in (("env", self.env), ("headers", self.headers)):
            for name, value in values.items():
                if _SECRET_NAME.search(name) and value and not refers_to_secret(value):
                    raise ValueError(f"{key}.{name} looks like a secret; write env:NAME or secret:NAME instead")
        if self.url and in_clear(self.url):
            where = "headers" if any(map(refers_to_secret, self.headers.values())) else ""
            if where or REFERENCE.search(self.url):
                raise ValueError(f"a secret in {where or 'url'} would go over the network unencrypted; use https://")
        return self


def _mcp_tables(value: Any) -> Any:
    if isinstance(value, list):
        raise ValueError("write [mcp.NAME] for each server, not [[mcp]]")
    for name in value if isinstance(value, dict) else ():
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,23}", name):
            raise ValueError(f"{name!r} can't name a server: lower-case letters, digits and -, at most 24")
    return value


class Search(Section):
    """Search by meaning, beside that by words."""

    meaning: bool = True  # where the packages of pepper-tui[meaning] are installed
    load: Literal["needed", "start"] = "needed"  # the embedder: at a search, or at the start and for good
    vectors: Annotated[int, Field(ge=100, le=5_000_000)] = 1_000_000  # the newest that are kept


def _days_alone(value: Any) -> Any:
    return {"days": value} if isinstance(value, int | float | str) and not isinstance(value, bool) else value


class Kept(Section):
    """How long contexts of a namespace are kept: docs/store.md."""

    days: Literal["forever"] | Annotated[float, Field(ge=8)] | None = None  # since the last change
    versions: Annotated[int, Field(ge=1)] | None = None  # how many; older ones go


class Store(Section):
    """How long what is kept, by namespace or pattern, over the built-in rules; and for how long answers are."""

    retention: dict[str, Annotated[Kept, BeforeValidator(_days_alone)]] = {}
    cache_seconds: Annotated[float, Field(ge=0, le=86400)] = 3600.0  # 0: no answer is kept


class Ui(Section):
    theme: Literal["pepper", "pepper-light", "pepper-contrast", "pepper-ansi"] = "pepper"
    plain: bool = False  # lines instead of a screen, for screen readers
    refresh: Annotated[float, Field(ge=1, le=30)] = 10.0  # times a second at most
    bell: bool = True
    notice: Literal["", "osc9", "osc777", "osc99", "desktop"] = ""  # how to tell of urgent items, beside the bell
    keys: KeyIds = {}  # key id → keys; ui/rebinding.py says what may be


class Account(Section):
    """One account of a connector. ``kind`` names the connector; all other keys are its own, which it checks."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]

    @property
    def own(self) -> dict[str, Any]:
        """What the connector reads."""
        return dict(self.model_extra or {})


class Config(Section):
    user: User = User()
    models: Models = Models()
    budget: Budget = Budget()
    scheduler: Scheduler = Scheduler()
    judging: Judging = Judging()
    tools: Tools = Tools()
    mail: Mail = Mail()
    calendar: Calendar = Calendar()
    files: Files = Files()
    rule: list[Rule] = []
    clock: list[ClockEntry] = []  # an older form of rule
    watch: list[Watch] = []  # an older form of rule
    feed: list[OwnFeed] = []
    conversation: list[Conversation] = []
    exec: list[ExecFeed] = []
    account: list[Account] = []
    tool: list[OwnTools] = []
    worker: list[Worker] = []
    worker_slots: Annotated[int, Field(ge=1)] = 4
    mcp: Annotated[dict[str, McpServer], BeforeValidator(_mcp_tables)] = {}
    search: Search = Search()
    store: Store = Store()
    ui: Ui = Ui()

    @property
    def sender_address(self) -> str:
        return self.mail.address or (self.user.addresses[0] if self.user.addresses else "")

    @model_validator(mode="after")
    def _names_resolve(self) -> Config:
        _each_once("conversations", [each.name for each in self.conversation])
        _each_once("rules", [each.name for each in self.rule])
        for kind, name, template in [
            *(("watch", watch.name, watch.draft) for watch in self.watch),
            *(("rule", rule.name, template) for rule in self.rule for template in (rule.draft, rule.nudge)),
        ]:
            if template and template not in self.mail.templates:
                raise ValueError(f"{kind} {name!r} names the template {template!r}; add it to [mail.templates]")
        _each_once("feeds", [feed.name for feed in self.feed])
        names = [feed.name for feed in self.feed] + [feed.name for feed in self.exec]
        _each_once("accounts", [account.id for account in self.account])
        for account in self.account:
            if account.id in FEED_NAMES or account.id in names:
                raise ValueError(f"account {account.id!r}: a feed has that name; choose one of its own")
        for feed in self.exec:
            if feed.name in FEED_NAMES or names.count(feed.name) > 1:
                raise ValueError(f"exec {feed.name!r}: another feed has that name; choose one of its own")
        if self.mail.smtp and not self.sender_address:
            raise ValueError("mail.smtp is set but no sender; set mail.address or user.addresses")
        return self


def _each_once(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two {kind} are called {name!r}; give each a name of its own")


def load_config(home: Path) -> Config:
    """The config of ``home``, also under older names; relative paths in it are taken from there.

    Raises ``FileNotFoundError`` where there is none, ``ConfigError`` for one that can't be used.
    """
    path = home / CONFIG_FILE
    return parse_config(plain_text(path), path)


def parse_config(source: str, path: Path, renames: Sequence[Rename] = RENAMED) -> Config:
    """The config that ``source``, the text of ``path``, says, with ``renames`` done. Raises ``ConfigError``."""
    said = _read(source, path, renames)
    if said.clashes:
        raise ConfigError([_clash(path, source, one) for one in said.clashes])
    try:
        config = Config.model_validate(said.tree)
    except ValidationError as error:
        raise ConfigError([_problem(path, source, said, problem) for problem in error.errors()]) from error
    return _anchored(config, path.parent)


def old_key_notes(source: str, path: Path, renames: Sequence[Rename] = RENAMED) -> list[str]:
    """A line for each key of ``source``, the text of ``path``, that has another name now. Raises ``ConfigError``."""
    return [
        f"{path}:{_line_of(source, one.old)}: {_dotted_name(one.old)} is called {_dotted_name(one.new)} "
        f"since {one.rename.since}"
        for one in _read(source, path, renames).found
    ]


def _read(source: str, path: Path, renames: Sequence[Rename]) -> Renewed:
    try:
        return renewed(tomllib.loads(source), renames)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: {error}"]) from error


def _clash(path: Path, source: str, one: OldKey) -> str:
    old, new = _dotted_name(one.old), _dotted_name(one.new)
    line = _line_of(source, one.new)
    return f"{path}:{_line_of(source, one.old)}: {old} is an older name of {new}, and line {line} says that; keep one"


def _anchored(config: Config, base: Path) -> Config:
    def at(path: Path) -> Path:
        return base / path.expanduser()

    folders = {"maildir": config.mail.maildir, "mbox": config.mail.mbox, "attach_from": config.mail.attach_from}
    mail = config.mail.model_copy(update={name: [at(p) for p in paths] for name, paths in folders.items()})
    calendar = config.calendar.model_copy(update={"paths": [at(p) for p in config.calendar.paths]})
    files = config.files.model_copy(update={"folders": [at(p) for p in config.files.folders]})
    feeds = [feed.model_copy(update={"file": at(feed.file)}) for feed in config.feed]
    tools = [tool.model_copy(update={"file": at(tool.file)}) for tool in config.tool]
    workers = [w.model_copy(update={"file": at(w.file)}) if w.file else w for w in config.worker]
    servers = {name: _anchored_server(server, at) for name, server in config.mcp.items()}
    scheduler = config.scheduler
    if scheduler.priority:
        scheduler = scheduler.model_copy(update={"priority": at(scheduler.priority)})
    sections = {"mail": mail, "calendar": calendar, "files": files, "mcp": servers, "scheduler": scheduler}
    return config.model_copy(update={**sections, "feed": feeds, "tool": tools, "worker": workers})


def _anchored_server(server: McpServer, at: Callable[[Path], Path]) -> McpServer:
    command = str(at(Path(server.command))) if "/" in server.command else server.command
    return server.model_copy(update={"command": command, "cwd": at(server.cwd) if server.cwd else None})


def _problem(path: Path, source: str, said: Renewed, problem: Any) -> str:
    where = said.as_written(problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = _unknown(str(problem["loc"][-1]), _keys_beside(problem["loc"]))
    key = _dotted_name(where)
    return f"{path}:{_line_of(source, where)}: {key + ': ' if key else ''}{message}"


def _dotted_name(where: Where) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")


def _unknown(key: str, known: list[str]) -> str:
    """What to do about a key that is not known: it may be misspelt, or of a time to come."""
    near = difflib.get_close_matches(key, known, n=1)
    guess = f"did you mean {near[0]}? Else a newer one may know it" if near else "a newer one may"
    return f"this Pepper does not know it; {guess}; remove it or update (pepper config example: every key there is)"


def _keys_beside(where: Where) -> list[str]:
    """The keys that the section with the key at ``where`` may have."""
    section: type[BaseModel] | None = Config
    named = False  # the next part is a name that the user gave
    for part in where[:-1]:
        if section is None:
            return []
        if isinstance(part, int) or named:
            named = False
            continue
        field = section.model_fields.get(part)
        section = next(_sections_in(field.annotation), None) if field else None
        named = field is not None and get_origin(field.annotation) is dict
    return [*section.model_fields] if section else []


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections_in(inner)


def place_of(path: Path, source: str, key: str) -> str:
    """``path:line: key`` of ``key`` in ``source``, the text of ``path``; as in ``feed[2].file``, counted from 1."""
    parts = tuple(int(part) - 1 if part.isdigit() else part for part in re.split(r"[.\[\]]+", key) if part)
    where = _read(source, path, RENAMED).as_written(parts)
    return f"{path}:{_line_of(source, where)}: {_dotted_name(where)}"


def _line_of(source: str, where: Where) -> int:
    """The line, from 1, that sets the key at ``where``, or begins something in it, or the nearest table around it."""
    wanted = _at_dots(where)
    best, best_depth = 1, 0.0
    table: list[str | int] = []
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(source.splitlines(), 1):
        header = re.match(rf"\s*(\[\[?)\s*({_KEY})\s*\]", line)
        if header:
            name = _parts(header[2])
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
            table = _numbered(name, counts)
            here = _at_dots(table)
        else:
            assignment = re.match(rf"\s*({_KEY})\s*=", line)
            if not assignment:
                continue
            here = _at_dots([*table, *_parts(assignment[1])])
        both = min(len(here), len(wanted))
        depth = both if len(here) <= len(wanted) else both - 0.5  # something inside it
        if wanted[:both] == here[:both] and depth > best_depth:
            best, best_depth = number, depth
    return best


def _at_dots(path: Sequence[str | int]) -> list[str | int]:
    """The path with each quoted key at its dots: some name it whole, others in its parts."""
    return [one for part in path for one in (part.split(".") if isinstance(part, str) else [part]) if one != ""]


_PART: Final = r"""(?:"[^"]*"|'[^']*'|[\w-]+)"""
_KEY: Final = rf"{_PART}(?:\s*\.\s*{_PART})*"


def _parts(key: str) -> tuple[str, ...]:
    """The parts of a key as TOML has it, some of them perhaps in quotes."""
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))


def _numbered(parts: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> list[str | int]:
    """The path of a table, with the number of its entry after the name of each array of tables on the way."""
    path: list[str | int] = []
    for depth, part in enumerate(parts, 1):
        path.append(part)
        if (name := parts[:depth]) in counts:
            path.append(counts[name])
    return path


class Secrets:
    """Values that a config names: ``env:NAME`` from the environment, ``secret:NAME`` from ``secrets.toml``."""

    given: ClassVar[set[str]] = set()
    """Every value that was handed out in this process: what no log may hold."""

    @classmethod
    def without(cls, words: str) -> str:
        """``words`` without the values that were handed out; what is shorter than six letters stands in any text."""
        for secret in sorted(cls.given, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                words = words.replace(secret, "[secret]")
        return words

    def __init__(self, home: Path, environment: dict[str, str] | None = None) -> None:
        self.home = home
        self._path = home / SECRETS_FILE
        self._environment = dict(os.environ) if environment is None else environment

    def value(self, name: str) -> str:
        """The value, or empty where the environment has none.

        Raises ``ConfigError`` for a secret that stands in the config itself, an unknown one, or a file others may read.
        """
        if not name:
            return ""
        kind, _, key = name.partition(":")
        if kind in ("env", "secret"):
            value = self._environment.get(key, "") if kind == "env" else self._from_file(key)
            self.given.add(value)
            return value
        raise ConfigError(
            ["a secret stands in the config itself; write env:NAME, or secret:NAME and put it in secrets.toml"]
        )

    def filled(self, text: str) -> str:
        """``text`` with the reference that it may end in replaced by its value: ``Bearer env:TOKEN``.

        Raises ``ConfigError``, also where the environment has no such value.
        """
        found = _REFERENCE.search(text)
        if found is None:
            return text
        value = self.value(found[0])
        if not value:
            raise ConfigError([f"{found[0]}: the environment has no such variable"])
        return text[: found.start()] + value

    def all_filled(self, values: Mapping[str, str]) -> dict[str, str]:
        """``values`` by their names, each ``filled``. Raises ``ConfigError``."""
        return {name: self.filled(value) for name, value in values.items()}

    def in_url(self, url: str) -> str:
        """``url`` with each reference in it replaced by its value, quoted. Raises ``ConfigError``."""

        def value(found: re.Match[str]) -> str:
            quoted = quote(self.filled(found[0]), safe="")
            self.given.add(quoted)
            return quoted

        return REFERENCE.sub(value, url)

    def key_for(self, name: str, url: str) -> str:
        """The value of the key ``name``, for the server at ``url``.

        Raises ``ConfigError`` as ``value`` does, and where the key would go to another machine unencrypted.
        """
        value = self.value(name)
        if value and (host := in_clear(url)):
            raise ConfigError(
                [f'{name} would go unencrypted to {host}; use https://, or set api_key = "" if it wants no key']
            )
        return value

    def _from_file(self, key: str) -> str:
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
        except FileNotFoundError as error:
            raise ConfigError([f"{self._path}: not there; create it with mode 0600 and a line {key} = …"]) from error
        if mode & 0o077:
            raise ConfigError([f"{self._path}: others may read it (mode {mode:04o}); run: chmod 600 {self._path}"])
        try:
            secrets = tomllib.loads(plain_text(self._path))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([f"{self._path}: {error}"]) from error
        except OSError as error:
            raise ConfigError([f"{self._path}: {error.strerror}"]) from error
        except UnicodeDecodeError as error:
            raise ConfigError([f"{self._path}: it is no UTF-8"]) from error
        if key not in secrets:
            raise ConfigError([f"{self._path}: has no {key}; add a line {key} = …"])
        return str(secrets[key])
