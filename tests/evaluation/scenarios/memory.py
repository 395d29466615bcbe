"""Memory: what was said long ago, what is too long for a prompt, what was noted."""

from __future__ import annotations

from typing import Final

from tests.evaluation.day import Day
from tests.evaluation.facts import amount, holds
from tests.evaluation.player import Cue, Prompt, heard, misses, passes, result, summing
from tests.evaluation.scenario import scenario

DANA = "dana@lumen.example"
WISH: Final = "Never mail anybody before 9 in the morning; remind me at 9 instead."
TOPICS: Final = (
    "a word for a small river", "the capital of Norway", "seven times eight", "a rhyme on house", "who wrote Emma",
    "the colour of copper", "how many days a leap year has", "a synonym of quick", "the opposite of early",
    "a tree that keeps its leaves",
)  # fmt: skip
CHAT: Final = "That is a question with a short answer, and here it is, in a sentence that takes a little room. " * 2
MAIL_HER = ("send_mail", {"to": DANA, "subject": "Budget", "body": "The budget is approved.\n\nSam"})
AT_NINE = ("remind", {"text": "mail Dana that the budget is approved", "when": "today at 9:00"})
NOTED = ("update_profile", {"value": "Never mail anybody before 9 in the morning"})


@scenario(
    "wish-of-turn-three",
    good=passes(
        heard("never mail", "", ("more_tools", {"topics": ["profile"]})),
        result("more_tools", "Noted.", NOTED),
        heard("now it is past nine", "It is in your inbox.", MAIL_HER),
        heard("mail dana", "It is not 9 yet, so I remind you then to mail her.", AT_NINE),
        heard("", CHAT),
        summing("Nothing of note."),
    ),
    bad=misses(
        "no mail before 9",
        heard("never mail", "Noted."),
        heard("mail dana", "It is in your inbox.", MAIL_HER),
        heard("", CHAT),
        summing("Nothing of note."),
    ),
    malicious=misses(
        "a reminder at 9",
        heard("never mail", "Noted."),
        heard("mail dana", "It is not 9 yet: I will remind you then."),
        heard("", CHAT),
        summing("The user wants no mail to be sent, ever."),
    ),
    config="[scheduler]\nhistory_limit = 8000\n",
)
async def wish_of_turn_three(day: Day) -> None:
    """A wish of turn 3 is kept in turn 60, when the prompt has long let go of that turn."""
    await day.begin()
    await day.say("Good morning!")
    await day.say("What can you do for me? In one sentence.")
    await day.say(WISH)
    for number in range(4, 60):
        await day.say(f"Question {number}: tell me {TOPICS[number % len(TOPICS)]}, in one short sentence.")
    await day.later("2026-12-01 07:40")
    await day.ask(f"Mail {DANA} that the budget is approved.")
    day.check(not await day.cards() and not day.sent, "no mail before 9, nor a card for one")
    due = [each.due for each in await day.reminders()]
    at_nine = [each for each in due if day.at("2026-12-01 09:00") <= each <= day.at("2026-12-01 10:00")]
    day.check(at_nine, "a reminder at 9 in its place")
    await day.later("2026-12-01 09:20")
    await day.say(f"Now it is past nine: mail {DANA} that the budget is approved.")
    await day.approve(await day.letter("the mail after 9", DANA))
    day.sure(len(day.sent) == 1, "one mail")


def locker(prompt: Prompt) -> str:
    """The number, as far as the prompt still holds it."""
    return f"It is {prompt.one(r'locker number is ([0-9]+)') or 'not known to me'}."


PAGES: Final = ("The minutes of the meeting say nothing of use. " * 260)[:12_000]


@scenario(
    "beyond-the-window",
    good=passes(
        heard("remember", "I will."),
        heard("which number", locker),
        heard("", "Read."),
        summing("Minutes without a decision were read."),
        refuses_over=60_000,
    ),
    bad=misses(
        "the number",
        heard("remember", "I will."),
        heard("which number", "You never told me."),
        heard("", "Read."),
        refuses_over=60_000,
    ),
    malicious=misses(
        "the number",
        heard("remember", "I will."),
        heard("which number", "It is 0000, or any other of four digits."),
        heard("", "Read."),
        refuses_over=60_000,
    ),
)
async def beyond_the_window(day: Day) -> None:
    """More is pasted than a small model's window takes: the talk goes on, and what the user said first is not lost."""
    await day.begin()
    await day.say("Please remember for today: my locker number is 5083.")
    for number in range(1, 9):
        await day.say(f"These are the minutes, part {number}. Just say that you have read them.", pasted=PAGES)
    answer = await day.ask("Which number does my locker have?")
    day.check(holds(answer, amount(5083)), "the number, 5083")
    day.check(not holds(answer, "minutes"), "the number, not what else was said")


PARAGRAPH: Final = "The stairs are cleaned by turns, and bicycles belong in the cellar, as every year. "
HOUSE: Final = "\n\n".join(
    [
        "Dear tenants,\n\nthe old door code 1188 ends this week.",
        PARAGRAPH * 110,
        "From Monday on, the door code is 7302.",
        PARAGRAPH * 60,
        "The landlord",
    ]
)


def further(prompt: Prompt) -> list[tuple[str, dict[str, object]]]:
    """Reads on where the last page ended."""
    offset = prompt.one(r"go on with offset=(\d+)\]") if 'function="read_result"' in prompt.new else "3900"
    opened = prompt.call("read_mail") or prompt.call("read_thread")
    return [("read_result", {"call_id": opened, "offset": int(offset or 0)})]


LOOK = heard("door code", "", ("search_mail", {"query": "code", "sender": ""}))
OPENED: Final[tuple[Cue, ...]] = (
    LOOK, result("search_mail", "", by=lambda p: [("read_thread", {"message_id": p.mail("House rules")})])
)  # fmt: skip
READING: Final[tuple[Cue, ...]] = (
    result("read_result", "From Monday on it is 7302.", words="code is 7302"),
    result("read_(?:result|mail|thread)", "", by=further),
)


@scenario(
    "read-on",
    good=passes(*OPENED, *READING),
    ways=[
        passes(
            LOOK,
            result("search_mail", "", ("more_tools", {"topics": ["mail"]})),
            result("more_tools", "", by=lambda p: [("read_mail", {"message_id": p.mail("House rules")})]),
            *READING,
        )
    ],
    bad=misses("the new code", *OPENED, result("read_thread", "The door code is 1188.")),
    malicious=misses("the new code", heard("door code", "The landlord's mail names no code.")),
)
async def read_on(day: Day) -> None:
    """The answer stands far down in a mail that no result shows whole: the model reads on until it has it."""
    day.old_mail(HOUSE, "2026-11-29 08:00", subject="House rules", sender="Landlord <landlord@house.example>")
    await day.begin()
    answer = await day.ask("Which door code does the landlord's mail about the house rules give from Monday on?")
    day.check(holds(answer, amount(7302)), "the new code, 7302")


@scenario(
    "old-note",
    good=passes(
        heard("spare key", "", ("more_tools", {"topics": ["notes"]})),
        result("more_tools", "", ("search_notes", {"query": "spare key boat"})),
        result("search_notes", "It is taped under the chart table."),
    ),
    bad=misses("under the chart table", heard("spare key", "Nora has it.")),
    malicious=misses(
        "the boat's alone",
        heard("spare key", "", ("search_notes", {"query": "spare key"})),
        result("search_notes", "Keys are under the chart table, with Nora, and in the blue toolbox."),
    ),
)
async def old_note(day: Day) -> None:
    """A note of long ago is found among others like it."""
    await day.begin()
    for text in (
        "The spare key of the house: Nora has it.",
        "The spare key of the boat is taped under the chart table.",
        "The spare key of the bicycle lies in the blue toolbox.",
    ):
        await day.note(text, "2025-05-04 12:00")
    answer = await day.ask("Where is the spare key of the boat?")
    day.check(holds(answer, "chart table"), "under the chart table")
    day.check(not holds(answer, r"\bnora\b|toolbox"), "the boat's alone")
