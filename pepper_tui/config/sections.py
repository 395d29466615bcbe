"""One typed tree read from ``config.toml`` in the home; every room gets its part of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pepper_tui.config.agents import Judging, McpServer, OwnTools, Scheduler, Tools, Worker, mcp_tables
from pepper_tui.config.base import KeyIds, Section, Words, ZoneName
from pepper_tui.config.models import Budget, Models
from pepper_tui.config.rules import ClockEntry, Rule, Watch
from pepper_tui.config.sources import (
    FEED_NAMES,
    SECTION_IDS,
    Account,
    Calendar,
    Conversation,
    ExecFeed,
    Files,
    Mail,
    OwnFeed,
)


class User(Section):
    name: str = ""
    addresses: Words = []
    zone: ZoneName = ""  # empty: the machine's own
    locale: Annotated[str, Field(pattern=r"^([a-z]{2}([-_][A-Z]{2})?)?$")] = ""  # empty: the machine's own
    vips: Words = []  # addresses, or domains as "@example.com"
    profile: str = ""  # what the assistant should know about the user, in words


class Search(Section):
    """Search by meaning, in addition to search by words."""

    meaning: bool = True  # takes effect if the packages of pepper-tui[meaning] are installed
    load: Literal["needed", "start"] = "needed"  # when the embedder loads: at a search, or at the start, to stay loaded
    vectors: Annotated[int, Field(ge=100, le=5_000_000)] = 1_000_000  # how many of the newest are kept


def _days_alone(value: Any) -> Any:
    return {"days": value} if isinstance(value, int | float | str) and not isinstance(value, bool) else value


class Kept(Section):
    """How long contexts of a namespace are kept: docs/store.md."""

    days: Literal["forever"] | Annotated[float, Field(ge=8)] | None = None  # since the last change
    versions: Annotated[int, Field(ge=1)] | None = None  # how many are kept


class Store(Section):
    """Retention by namespace or pattern, on top of the built-in rules; and how long cached answers live."""

    retention: dict[str, Annotated[Kept, BeforeValidator(_days_alone)]] = {}
    cache_seconds: Annotated[float, Field(ge=0, le=86400)] = 3600.0  # 0: answers are not cached


class Ui(Section):
    theme: Literal["pepper", "pepper-light", "pepper-contrast", "pepper-ansi"] = "pepper"
    plain: bool = False  # lines instead of a screen, for screen readers
    refresh: Annotated[float, Field(ge=1, le=30)] = 10.0  # times a second at most
    bell: bool = True
    notice: Literal["", "osc9", "osc777", "osc99", "desktop"] = ""  # how urgent items are announced, besides the bell
    keys: KeyIds = {}  # key id → keys; ui/shared/rebinding.py says which are allowed


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
    mcp: Annotated[dict[str, McpServer], BeforeValidator(mcp_tables)] = {}
    search: Search = Search()
    store: Store = Store()
    ui: Ui = Ui()

    @property
    def sender_address(self) -> str:
        return self.mail.address or (self.user.addresses[0] if self.user.addresses else "")

    @property
    def own_addresses(self) -> list[str]:
        """Every address that is the user's, those of accounts too."""
        accounts = [address for account in self.account for address in account.addresses]
        mail = [self.sender_address, *(each.address for each in self.mail.identities)]
        return [address for address in (*self.user.addresses, *mail, *accounts) if address]

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
        sections = {"mail": self.mail.maildir, "mbox": self.mail.mbox}
        for account in self.account:
            if SECTION_IDS.get(account.id) == account.kind:
                if sections[account.id]:
                    key = f"mail.{account.kind}"
                    raise ValueError(f"account {account.id!r} stands in place of {key}, which is set; keep one of them")
                continue
            if account.id in FEED_NAMES or account.id in names:
                raise ValueError(f"account {account.id!r}: a feed has that name; choose another")
        for feed in self.exec:
            if feed.name in FEED_NAMES or names.count(feed.name) > 1:
                raise ValueError(f"exec {feed.name!r}: another feed has that name; choose a different one")
        if self.mail.smtp and not self.sender_address:
            raise ValueError("mail.smtp is set but no sender; set mail.address or user.addresses")
        return self


def _each_once(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two {kind} are called {name!r}; give each a different name")
