"""The demo's config: only keys and rules that a user could write, in a user's own words.

A home belongs to a demo if its config begins with ``MARK``; other homes are never written to.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pepper_tui.text.errors import PepperError

MARK: Final = "# Pepper demo\n"
MAILDIR: Final = "Maildir"
CALENDAR: Final = "calendar"
OUTBOX: Final = "outbox"

TEXT: Final = (
    MARK
    + '''
# A sample world: a Maildir and a calendar that a writer fills as time passes. Mail that you approve goes to a server
# on this machine that keeps it in outbox/. Change what you like: `pepper --demo --home` this folder reads it again.

[user]
name = "Alex Rivera"
addresses = ["alex@northlight.example"]
vips = ["nora@northlight.example", "@family.example"]

[models]
api_key = ""            # no key and no base_url: the offline model answers, by rules

[mail]
maildir = ["Maildir"]

[mail.smtp]
host = "127.0.0.1"
port = 0                # set at each start of the demo
security = "none"

[mail.templates]
quote = """
Hi {first_name},

thank you for your question about "{subject}". I look at the numbers and come back to you today.

Best regards
{me}
"""

[calendar]
paths = ["calendar"]

[[rule]]
name = "stretch"
text = "Stand up and stretch for a minute"
every = 300

[[rule]]
name = "Nora"
source = "mail"
sender = ["nora@northlight.example"]
priority = "urgent"
notify = true

[[rule]]
name = "parcels"
source = "mail"
words = ["parcel"]
remind = "in 30 seconds"

[[rule]]
name = "quotes"
source = "mail"
words = ["quote"]
draft = "quote"

[[rule]]
name = "Porto"
source = "mail"
thread = "Offsite in Porto"
follow_up = 4

[[rule]]
name = "contract"
source = "mail"
sender = ["@hale-legal.example"]
follow_up = 24

[[rule]]
name = "roadmap"
source = "calendar"
words = ["roadmap"]
brief = 11
'''
)


class ForeignHomeError(PepperError):
    """The home has a config that is not a demo's."""


def write_config(home: Path, port: int) -> None:
    """Write the demo's config with the sink's port; in an existing demo home, set only the port.

    Raises ``ForeignHomeError`` for any other home that has a config.
    """
    path = home / "config.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = TEXT
    if not text.startswith(MARK):
        raise ForeignHomeError(f"{path} is not a demo's; run `pepper --demo` without --home, or with another folder")
    with_port = re.sub(r"(?m)^(port\s*=\s*)\d+", rf"\g<1>{port}", text, count=1)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(with_port, encoding="utf-8")
    temporary.chmod(0o600)
    temporary.replace(path)
