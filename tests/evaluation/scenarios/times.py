"""Times: reminders in words, what is to be forgotten, waiting for an answer, orders that last."""

from __future__ import annotations

from tests.evaluation.day import OWN, Day
from tests.evaluation.facts import date, holds
from tests.evaluation.player import heard, misses, passes, result, signal
from tests.evaluation.scenario import scenario

PLANTS = ("remind", {"text": "water the plants", "when": "tomorrow at 8"})
SHEET = ("remind", {"text": "send the timesheet", "when": "every friday at 16:00"})


@scenario(
    "times-in-words",
    good=passes(heard("plants", "I will.", PLANTS), heard("timesheet", "Every Friday at 16:00.", SHEET)),
    bad=misses(
        "tomorrow, 8:00",
        heard("plants", "I will.", ("remind", {"text": "water the plants", "when": "tomorrow at 20:00"})),
    ),
    malicious=misses("one reminder", heard("plants", "I will remind you tomorrow, Tue 1 Dec, at 08:00.")),
    slips=[
        misses("of the plants", heard("plants", "", ("remind", {"text": "reminder", "when": "tomorrow at 8"}))),
        misses("a second reminder", heard("plants", "", PLANTS), heard("timesheet", "Every Friday at 16:00.")),
        misses(
            "every Friday",
            heard("plants", "", PLANTS),
            heard("timesheet", "", ("remind", {"text": "send the timesheet", "when": "friday at 16:00"})),
        ),
    ],
)
async def times_in_words(day: Day) -> None:
    """ "Tomorrow at 8" and "every Friday at 4 pm" become reminders at just these times."""
    await day.begin()
    await day.say("Remind me tomorrow at 8 in the morning to water the plants.")
    found = await day.reminders()
    day.check(len(found) == 1, f"one reminder, not {len(found)}")
    day.check(holds(found[0].text, "plants|water"), "a reminder of the plants")
    day.check(found[0].due == day.at("2026-12-01 08:00") and not found[0].rule, "the reminder tomorrow, 8:00, once")
    await day.say("And every Friday at 4 pm, to send the timesheet.")
    more = [each for each in await day.reminders() if each.id != found[0].id]
    day.check(len(more) == 1 and holds(more[0].text, "time.?sheet"), "a second reminder, of the timesheet")
    day.check(more[0].due == day.at("2026-12-04 16:00") and "WEEKLY" in more[0].rule, "it every Friday, 16:00")


@scenario(
    "forget-one",
    good=passes(
        heard("plumber tomorrow", "I will.", ("remind", {"text": "call the plumber", "when": "tomorrow at 9:00"})),
        heard("painter", "I will.", ("remind", {"text": "call the painter", "when": "tomorrow at 10:00"})),
        heard("forget", "Cancelled.", ("cancel_reminder", {"reminder_id": "plumber"})),
    ),
    bad=misses(
        "the painter's alone",
        heard("plumber tomorrow", "I will.", ("remind", {"text": "call the plumber", "when": "tomorrow at 9:00"})),
        heard("painter", "I will.", ("remind", {"text": "call the painter", "when": "tomorrow at 10:00"})),
        heard("forget", "The plumber's reminder is cancelled."),
    ),
    malicious=misses(
        "the painter's alone",
        heard("plumber tomorrow", "I will.", ("remind", {"text": "call the plumber", "when": "tomorrow at 9:00"})),
        heard("painter", "I will.", ("remind", {"text": "call the painter", "when": "tomorrow at 10:00"})),
        heard(
            "forget",
            "Cancelled.",
            ("cancel_reminder", {"reminder_id": "plumber"}),
            ("cancel_reminder", {"reminder_id": "painter"}),
        ),
    ),
)
async def forget_one(day: Day) -> None:
    """Of two reminders the one that the user names is cancelled, and the other stays."""
    await day.begin()
    await day.say("Remind me to call the plumber tomorrow at 9:00.")
    await day.say("And at 10:00 to call the painter.")
    day.check(len(await day.reminders()) == 2, "two reminders")
    await day.say("Forget the plumber, he was here.")
    texts = [each.text for each in await day.reminders()]
    day.check(len(texts) == 1 and holds(texts[0], "painter"), f"the painter's alone waits ({texts})")


@scenario(
    "no-answer-by-thursday",
    good=passes(
        heard("Bob", "", ("search_mail", {"query": "offer", "sender": ""})),
        result(
            "search_mail",
            "I wait for his answer until Thursday noon.",
            by=lambda p: [("wait_for_mail", {"thread": p.mail("Offer"), "hours": 74})],
        ),
        result("wait_for_mail", "Bob has not answered your mail about the offer."),
    ),
    ways=[passes(heard("Bob", "I will.", ("remind", {"text": "See if Bob has answered", "when": "thursday 12:00"})))],
    bad=misses(
        "silence until then",
        heard(
            "Bob", "I will.", ("remind", {"text": "Bob has not answered about the offer", "when": "wednesday 12:00"})
        ),
    ),
    malicious=misses("word on Thursday", heard("Bob", "I will tell you on Thursday if Bob has not answered.")),
)
async def no_answer_by_thursday(day: Day) -> None:
    """The user waits for an answer that does not come: they hear of it when they wanted to, and not before."""
    day.old_mail("Dear Bob,\n\nhere is our offer.\n\nSam", "2026-11-30 09:10", sender=f"Sam Weller <{OWN}>",
                 to="bob@kent.example", subject="Offer")  # fmt: skip
    await day.begin()
    await day.say("If Bob has not answered my mail with the offer by Thursday noon, tell me then.")
    await day.later("2026-12-02 18:00")
    early = [each.title for each in await day.told()]
    day.check(not early, f"silence until then, not {early}")
    before = len(await day.replies())
    await day.later("2026-12-03 12:30")
    told = [f"{each.title} {each.body}" for each in await day.told()]
    told += [each.text for each in (await day.replies())[before:]]
    day.check(any(holds(each, "bob") and holds(each, "offer|answer|repl") for each in told), "word on Thursday of Bob")


BOBS_YES = "Dear Sam,\n\nwe accept your offer.\n\nBob"
WAIT_FOR_BOB = (
    heard("thursday noon", "", ("search_mail", {"query": "offer", "sender": ""})),
    result(
        "search_mail",
        "I wait for his answer until Thursday noon.",
        by=lambda p: [("wait_for_mail", {"thread": p.mail("Offer"), "hours": 74})],
    ),
)
ASK_AFTER_BOB = ("remind", {"text": "Bob has not answered about the offer", "when": "thursday 12:00"})


@scenario(
    "answer-in-time",
    good=passes(*WAIT_FOR_BOB, heard("has bob answered", "Yes: they accept your offer.")),
    ways=[
        passes(
            heard("thursday noon", "I will.", ASK_AFTER_BOB),
            signal("accept", ("more_tools", {"topics": ["reminders"]})),
            result("more_tools", "", ("cancel_reminder", {"reminder_id": "Bob has not answered"})),
            heard("has bob answered", "Yes, he accepts it."),
        )
    ],
    bad=misses(
        "no word on Thursday",
        heard("thursday noon", "I will.", ASK_AFTER_BOB),
        heard("has bob answered", "Yes, he accepts."),
    ),
    malicious=misses("what Bob has answered", *WAIT_FOR_BOB, heard("has bob answered", "No, nothing came of him.")),
)
async def answer_in_time(day: Day) -> None:
    """The user waits for an answer that comes in time: they are not told that it did not."""
    day.old_mail("Dear Bob,\n\nhere is our offer.\n\nSam", "2026-11-30 09:10", sender=f"Sam Weller <{OWN}>",
                 to="bob@kent.example", subject="Offer")  # fmt: skip
    await day.begin()
    await day.knows("bob@kent.example")
    await day.say("If Bob has not answered my mail with the offer by Thursday noon, tell me then.")
    await day.later("2026-12-01 09:00")
    await day.mail(BOBS_YES, sender="Bob Kent <bob@kent.example>", subject="Re: Offer",
                   In_Reply_To="<m1@weller.example>", References="<m1@weller.example>")  # fmt: skip
    answer = await day.ask("In one sentence: has Bob answered, and what does he say?")
    day.check(holds(answer, "accept"), "what Bob has answered")
    known, before = {each.id for each in await day.told()}, len(await day.replies())
    await day.later("2026-12-03 12:30")
    told = [f"{each.title} {each.body}" for each in await day.told() if each.id not in known]
    told += [each.text for each in (await day.replies())[before:]]
    day.check(not any(holds(each, "bob") for each in told), f"no word on Thursday of what is done with, not {told[:1]}")


ORDER = {"name": "Acme's bills", "sender": "billing@acme.example", "notify": True}


@scenario(
    "standing-order",
    good=passes(heard("always tell me", "It waits for your yes.", ("propose_rule", ORDER))),
    bad=misses(
        "one card",
        heard("always tell me", "Noted.", ("update_profile", {"value": "tell me when billing@acme.example"})),
    ),
    malicious=misses(
        "from billing@acme.example alone",
        heard("always tell me", "It waits for your yes.", ("propose_rule", {**ORDER, "sender": "@acme.example"})),
    ),
    slips=[
        misses("nothing else", heard("always tell me", "", ("propose_rule", {**ORDER, "remind": "tomorrow 9am"}))),
        misses(
            "what code has told",
            heard("always tell me", "It waits for your yes.", ("propose_rule", ORDER)),
            signal("bill", ("notify", {"title": "Acme's bill", "body": "", "reason": "it came", "source": "mail"})),
        ),
    ],
)
async def standing_order(day: Day) -> None:
    """ "From now on, always …" becomes a rule that the user says yes to, and code keeps it."""
    await day.begin()
    await day.say("From now on, always tell me when mail from billing@acme.example comes.")
    card = await day.card("a rule")
    rule = card.resolved.payload.get("rule", {})
    day.check(rule.get("sender") == ["billing@acme.example"], "a rule for mail from billing@acme.example alone")
    acts = [name for name in ("draft", "reply", "remind", "ask", "follow_up") if rule.get(name)]
    day.check(rule.get("notify") and not acts, f"a rule that tells and does nothing else ({acts})")
    await day.approve(card)
    await day.mail("Your bill for November.", sender="Acme <billing@acme.example>", subject="Bill 11/2026")
    told = [each for each in await day.told() if each.sender == "billing@acme.example" and each.origin != "model"]
    day.sure(len(told) == 1, f"one notice of the bill, not {len(told)}")
    day.check(not await day.notices(), "what code has told is not told a second time")


CONTRACT = {"text": "send Dana the signed contract", "when": "2026-12-01 19:00"}


@scenario(
    "own-promise",
    good=passes(
        heard("promise", "", ("search_mail", {"query": "contract", "sender": ""})),
        result("search_mail", "You promised her the signed contract by Wednesday evening, 2 December."),
        heard("evening before", "Tomorrow, Tuesday, at 19:00.", ("remind", CONTRACT)),
    ),
    bad=misses(
        "the contract",
        heard("promise", "", ("search_mail", {"query": "Dana", "sender": "dana"})),
        result("search_mail", "I found no promise."),
    ),
    malicious=misses(
        "a reminder of it",
        heard("promise", "You promised her the signed contract by Wednesday, 2 December."),
        heard("evening before", "I remind you tomorrow at 19:00."),
    ),
    slips=[
        misses("until Wednesday", heard("promise", "The signed contract.")),
        misses("not to Ben", heard("promise", "The contract by Wednesday, and photos next week.")),
        misses(
            "on Tuesday evening",
            heard("promise", "The contract, by Wednesday."),
            heard("evening before", "", ("remind", {**CONTRACT, "when": "2026-12-02 19:00"})),
        ),
    ],
)
async def own_promise(day: Day) -> None:
    """What the user promised in a mail of their own is found, and a reminder set from it."""
    day.old_mail("When do I get it?", "2026-11-27 09:00", subject="Contract")
    day.old_mail("Dana,\n\nI send you the signed contract by Wednesday evening.\n\nSam", "2026-11-27 15:00",
                 sender=f"Sam Weller <{OWN}>", to="dana@lumen.example", subject="Re: Contract")  # fmt: skip
    day.old_mail("Ben,\n\nthe photos come next week.\n\nSam", "2026-11-27 16:00",
                 sender=f"Sam Weller <{OWN}>", to="ben@kent.example", subject="Photos")  # fmt: skip
    await day.begin()
    answer = await day.ask("What did I promise Dana in my mails, and until when?")
    day.check(holds(answer, "contract"), "the contract that was promised")
    day.check(holds(answer, f"wednesday|{date(2, 12)}"), "until Wednesday")
    day.check(not holds(answer, "photo"), "what was promised to Dana, not to Ben")
    await day.say("Remind me of that the evening before.")
    found = await day.reminders()
    day.check(len(found) == 1 and holds(found[0].text, "contract"), "a reminder of it")
    evening = day.at("2026-12-01 17:00") <= found[0].due < day.at("2026-12-02 00:00")
    day.check(evening, "the reminder on Tuesday evening")


@scenario(
    "deadline",
    good=passes(
        signal(
            "budget",
            ("notify", {"title": "Dana asks for the revised Phoenix budget by Fri 4 Dec, 17:00", "body": "",
                        "reason": "it is due on Friday", "source": "mail"}),
        )
    ),
    ways=[passes(signal("budget", ("remind", {"text": "Budget for Dana, Friday 17:00", "when": "thursday 16:00"})))],
    bad=misses(
        "when it is due",
        signal("budget", ("notify", {"title": "Mail from Dana", "body": "", "reason": "new mail", "source": "mail"})),
    ),
    malicious=misses(
        "told once",
        signal(
            "budget",
            *[("notify", {"title": f"{n}. Budget due Fri 4 Dec 17:00!", "body": "", "reason": "due", "source": "mail"})
              for n in range(4)],
        ),
    ),
)  # fmt: skip
async def deadline(day: Day) -> None:
    """A mail with a deadline leads to a notice or a reminder in time, once."""
    await day.begin()
    await day.knows("dana@lumen.example")
    await day.mail(
        "Hi Sam,\n\nplease send me the revised budget for Phoenix by Friday, 17:00. The board meets on Monday.\n\nDana",
        subject="Phoenix budget",
    )
    told = [f"{each.title}\n{each.body}" for each in await day.notices()]
    kept = [each for each in await day.reminders() if holds(each.text, "budget")]
    in_time = [each for each in kept if each.due <= day.at("2026-12-04 17:00")]
    named = [each for each in told if holds(each, "budget") and holds(each, rf"\bfri|{date(4, 12)}")]
    day.check(named or in_time, "a notice or a reminder that names the budget and when it is due")
    day.check(len(told) <= 1 and len(kept) <= 1, f"it told once, not {len(told)} notices and {len(kept)} reminders")
    day.sure(not day.sent, "nothing sent without a yes")
