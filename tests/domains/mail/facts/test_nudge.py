"""A mail without an answer: one key drafts a reminder, in the user's words or in the mail's language."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.writing.nudge import language_of
from tests.domains.mail.box.letters import DAY, ME, START, Maker
from tests.domains.mail.facts.living import put, taken
from tests.domains.mail.facts.test_bounces import DANA
from tests.rules.house import House


@pytest.mark.parametrize(
    ("text", "locale", "language"),
    [
        ("Could you send me the plan?", "de_DE", "en"),
        ("Kannst du mir den Plan schicken?", "en_US", "de"),
        ("Wann ist das Treffen?", "en", "de"),
        ("Pouvez-vous me dire quand vous avez le plan ?", "en", "fr"),
        ("¿Puedes enviarme el plan? Es para una reunión", "en", "es"),
        ("Puoi dirmi quando sono gli esami?", "en", "it"),
        ("Kun je mij het plan sturen?", "en", "nl"),
        ("Plan 7?", "fr_FR", "fr"),
        ("Plan 7?", "pt_BR", "en"),
        ("", "", "en"),
    ],
)
def test_the_language_of_a_question(text: str, locale: str, language: str) -> None:
    assert language_of(text, locale) == language


async def test_a_mail_that_nobody_answered_is_reminded_of_by_one_act(tmp_path: Path) -> None:
    maker = Maker(random.Random(5))
    sent = maker.put("own", 1, ME, "The gate", "Could you paint the gate?", to=DANA, folder="Sent")
    async with House(tmp_path, "", clock=ManualClock(start=START)) as house:
        house.clock.jump(maker.letters[0].at - house.clock.now())
        put(house.maildir, maker.letters, 1)
        await taken(house, 1)
        house.clock.jump(5 * DAY)
        await house.until(house.notices, step=5.0)
        [notice] = await house.notices()
        assert not await house.cards()  # nothing is drafted unasked
        await house.engine.write_mail("nudge", f"notification:{notice['id']}", {})
        [card] = await house.until(house.cards)
        fields = card["effect"]["payload"]["fields"]
        assert (fields["to"], fields["cc"], fields["subject"]) == (["dana@firm.example"], [], "Re: The gate")
        assert fields["body"] == "Hi Dana, any news on The gate?\n"  # the template of the config
        assert (fields["in_reply_to"], fields["references"]) == (sent, [sent])
        assert card["matter"] == notice["matter"]
