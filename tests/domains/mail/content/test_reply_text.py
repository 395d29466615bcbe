"""What is new in an answer: the older mail goes, in any language and form, and no word of the answer with it (N1).

Most texts show no sign of a quotation or a signature, and are not given to the library.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mailparser_reply.constants import (
    GENERIC_MAIL_SEPARATOR,
    MAIL_LANGUAGES,
    NOLIST_SIGNATURE_REGEX,
    OUTLOOK_MAIL_SEPARATOR,
)
from mailparser_reply.parser import EmailMessage

from pepper_tui.domains.mail.content.history import attribution, may_be_above
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
    left = latest_reply(f"Some words of my own.\n{ending}")
    assert by_library(left).split() == left.split()


NEW = "No, please wait. First send me the figures."
ABOVE = [
    "On Mon, 23 Nov 2026 at 09:00, Alex Rivera <alex@example.com> wrote:",
    "Le 14/02/2011 11:56, X a écrit :",
    "Le lun. 3 mai 2021 à 10:00,\nX Y <a@b.org>\na écrit :",
    "Kim <kim@x.org> schrieb am Fr., 28. Apr. 2017 um 11:53 Uhr:",
    'Am 3. Mai schrieb "X" <a\n@b.org>:',
    "Op ma 3 mei 2021 om 10:00 heeft X <a@b> het volgende geschreven:",
    "---- On Mon, 3 May 2021 10:00 X <a@b> wrote ----",
    "On 3 May 2021, X sent:",
    "2016-03-03 17:21 GMT+01:00 X <a@b.org>:",
    '30.09.2017, 18:30, "X" <a@b.org>:',
    "X <a@b.org> wrote:",
    "Em seg., 3 de mai. de 2021 às 10:00, X <a@b> escreveu:",
    "W dniu 3.05.2021 o 10:00, X pisze:",
    "Den mån 3 maj 2021 kl 10:00 skrev X <a@b.org>:",
    "X <a@b.org> 于2021年5月3日周一 10:00写道:",
    "2021年5月3日(月) 10:00 X <a@b.org>:",
]


@pytest.mark.parametrize("above", ABOVE)
def test_an_answer_is_what_stands_around_a_quotation(above: str) -> None:
    assert latest_reply(f"{NEW}\n\n{above}\n> old words\n> Shall I send it?\n") == NEW
    assert latest_reply(f"{NEW}\n\n{above}\n\nold words, not marked\nShall I send it?\n") == NEW
    below = latest_reply(f"Hi Alex,\n\n{above}\n> old words\n\n{NEW}\n\n{above}\n> older\n\nAnd this.")
    assert below.split("\n") == ["Hi Alex,", "", "", NEW, "", "", "And this."]
    assert latest_reply(f"{above}\n> old words\n\n{NEW}") == NEW


@pytest.mark.parametrize(
    "block",
    [
        "-----Original Message-----\nFrom: X\nTo: Y",
        "________________________________\nFrom: X\nSent: Monday\nTo: Y",
        "De : X\nEnvoyé le : lundi\nÀ : Y\nObjet : Z",
        "Von: X\nGesendet: Montag\nAn: Y\nBetreff: z",
        "Mensaje original\nDe: X\nPara: y\nAsunto: Z",
        "From: X <a@b>\nReply-To: X\nTo: Y",
        "-----Reply Message-----\nX",
        "发件人: X\n日期: 2021\n主题: z",
        "---------- Forwarded message ---------\nFrom: Bank <b@b.org>\nSubject: Loan",
    ],
)
def test_an_older_mail_goes_and_one_that_is_sent_on_stays(block: str) -> None:
    assert latest_reply(f"{NEW}\n\n{block}\n\nold words") == NEW
    assert latest_reply(f"{block}\n\n{NEW}").endswith(f"\n\n{NEW}")
    assert latest_reply(f"{block}\n\n{NEW}\n\n{ABOVE[0]}\n> older").endswith(f"\n\n{NEW}")


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("The agenda:\n--\n1. Budget\n2. Decide on the quote", "The agenda:\n--\n1. Budget\n2. Decide on the quote"),
        ("Thanks a lot for this!\n-- \nAlex", "Thanks a lot for this!"),
        ("We meet at:\n10:00, room 5", "We meet at:\n10:00, room 5"),
        ("Yes.\n\nBest regards,\nAlex", "Yes."),
    ],
)  # fmt: skip
def test_only_two_hyphens_and_a_space_are_a_signature(text: str, new: str) -> None:
    assert latest_reply(text) == new


@given(
    lines=st.lists(st.sampled_from([*"\n".join(ABOVE).split("\n"), "", " ", NEW, "> older", "Hm:", "-"]), max_size=9)
)
def test_the_quick_look_misses_no_line_above_a_quotation(lines: list[str]) -> None:
    assert {at for at in range(len(lines)) if attribution(lines, at)} <= may_be_above(lines)
