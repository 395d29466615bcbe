"""A labelled box: some hundred mails from a seed, each with the facts and signs that its maker put into it.

The people write in English, German, French and Spanish. Beside each mail with a fact there are others that only look
like it. Labels come from here alone; the code that is measured with them has no part in it.
"""

from __future__ import annotations

import random

from tests.domains.mail.box import machine_mail, people_mail
from tests.domains.mail.box.letters import Letter, Maker

FACTS = ("question", "unanswered", "mention", "review", "failure", "alert", "today")
SIGNS = ("alike", "name", "failed", "reply_to", "first")


def box(seed: int = 1) -> list[Letter]:
    """All letters, in the order in which they come."""
    maker = Maker(random.Random(seed))
    for fill in (
        people_mail.acquaintances,
        people_mail.questions,
        people_mail.times,
        people_mail.own_mail,
        people_mail.sellers,
        people_mail.impostors,
        machine_mail.lists,
        machine_mail.forges,
        machine_mail.builds,
        machine_mail.money,
        machine_mail.bounces,
        machine_mail.everyday,
    ):
        fill(maker)
    letters = sorted(maker.letters, key=lambda letter: letter.at)
    # which of a newcomer's mails is the first is known when all have their place
    newcomers = {letter.sender for letter in letters if "first" in letter.signs}
    for letter in letters:
        first = letter.sender in newcomers
        newcomers.discard(letter.sender)
        letter.signs = letter.signs - {"first"} | ({"first"} if first else set())
    return letters
