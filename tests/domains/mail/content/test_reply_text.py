"""What is new in a mail. Most texts show no sign of a quotation or a signature, and are not given to the library."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mailparser_reply.constants import (
    GENERIC_MAIL_SEPARATOR,
    MAIL_LANGUAGES,
    NOLIST_SIGNATURE_REGEX,
    OUTLOOK_MAIL_SEPARATOR,
)
from mailparser_reply.parser import EmailMessage

from pepper_tui.domains.mail.content.reply_text import LANGUAGES, latest_reply

TAKEN = [
    (each, kind)
    for language in LANGUAGES
    for kind, said in MAIL_LANGUAGES[language].items()
    for each in (said if isinstance(said, list) else [said])
] + [(each, "separator") for each in (GENERIC_MAIL_SEPARATOR, NOLIST_SIGNATURE_REGEX, OUTLOOK_MAIL_SEPARATOR)]


def by_library(text: str) -> str:
    message = EmailMessage(text=text, languages=list(LANGUAGES), keep_hyphen_lists=True).read()
    return str(message.replies[0].body)


@st.composite
def endings(draw: st.DrawFn) -> str:
    """What the library takes from the end of a mail, in each of the languages."""
    pattern, kind = draw(st.sampled_from(TAKEN))
    found = draw(st.from_regex(pattern))
    return {"sent_from": f"{found} phone", "disclaimers": f"{found} this mail", "signatures": f"{found}\nBob"}.get(
        kind, found
    )


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(endings())
def test_nothing_is_left_that_the_library_would_take_away(ending: str) -> None:
    left = latest_reply(f"Some words.\n{ending}")
    assert by_library(left).split() == left.split()
