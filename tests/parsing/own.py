"""Modules that read with a parsing library, but nothing that a stranger could have written, and what it is instead."""

from __future__ import annotations

CONFIG = "the user's config"
STORE = "rows of Pepper's own store"
TYPED = "a short name that the user, the config or a model gives, bounded by its field"
RULE = "a rule's own fields, which the user confirmed"
OUT = "text that Pepper writes, not reads"
CHILD = "what Pepper's own processes say to one another"

OWN: dict[str, tuple[str, str]] = {
    "command.py": ("tomllib", CONFIG),
    "config.py": ("difflib re tomllib urllib", CONFIG),
    "config_report.py": ("croniter difflib re", CONFIG),
    "config_upgrade.py": ("tomlkit", CONFIG),
    "launch.py": ("tomllib", CONFIG),
    "in_clear.py": ("ipaddress re urllib", CONFIG),
    "demo/config.py": ("re", CONFIG),
    "demo/writer.py": ("email icalendar", OUT),
    "doctor/terminal.py": ("re", "the answers of the user's terminal to the doctor, read for a second"),
    "feeds/clock_feed.py": ("croniter", RULE),
    "feeds/mail_intake.py": ("re", "the names of the user's own mail folders"),
    "feeds/own.py": ("re", CONFIG),
    "feeds/user_feed.py": ("re", "names that the user's own feed gives"),
    "doctor/own_files.py": ("ast", "the user's own feeds and tools"),
    "first_start/discovery.py": ("configparser re", "the config files of the user's other programs"),
    "llm/embedding_process.py": ("json", CHILD),
    "parsing/frames.py": ("json", CHILD),
    "remote.py": ("json", "the socket in the home, which is the user's alone"),
    "rules/changes.py": ("croniter", RULE),
    "rules/rehearsal.py": ("croniter", RULE),
    "rules/configured.py": ("re", CONFIG),
    "rules/draft.py": ("re", "the user's own templates"),
    "rules/sentence.py": ("re", RULE),
    "scheduler/said.py": ("re", "entries of the log, which Pepper's own code has written"),
    "store/content.py": ("json", STORE),
    "store/copying.py": ("re", STORE),
    "store/embeddings.py": ("json", STORE),
    "store/filter.py": ("re", TYPED),
    "store/importing.py": ("json", "a file that the user names, read by a command"),
    "store/namespaces.py": ("re", TYPED),
    "store/plan.py": ("json", STORE),
    "store/portable.py": ("json", STORE),
    "store/query_cache.py": ("pickle", "what this process has put there"),
    "store/removal.py": ("json", STORE),
    "store/reopening.py": ("json", STORE),
    "store/retention.py": ("json", STORE),
    "store/rollback.py": ("json", STORE),
    "store/subscription.py": ("json", STORE),
    "store_commands.py": ("shlex", OUT),
    "tools/attachments.py": ("mimetypes", "a file's name, which the user sees on the card"),
    "tools/engine.py": ("json", "an effect that it has just written"),
    "tools/mcp/mcp_tool.py": ("json", "a field of a card that the user has edited"),
    "tools/event_tools.py": ("icalendar", OUT),
    "tools/profile_tools.py": ("re", TYPED),
    "tools/rule_tools.py": ("re", TYPED),
    "tools/said.py": ("re", "the words of a reminder and of what the user typed, in one pass"),
    "tools/tool.py": ("re", "the docstring of a tool's own code"),
    "ui/driver.py": ("codecs", "the bytes of the user's keyboard, as they come"),
    "ui/editing.py": ("shlex", CONFIG),
    "ui/notices.py": ("base64 html", OUT),
    "ui/pastes.py": ("re", "the first bytes of a key"),
    "ui/rebinding.py": ("unicodedata", CONFIG),
    "ui/terminal_out.py": ("base64", OUT),
    "workers/loop.py": ("fnmatch", CONFIG),
    "workers/memory.py": ("re", TYPED),
}
