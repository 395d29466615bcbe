"""The calendar: what is on, what collides, and putting something in."""

from __future__ import annotations

from tests.evaluation.day import Day
from tests.evaluation.facts import date, holds, time_of_day
from tests.evaluation.player import heard, misses, passes, result
from tests.evaluation.scenario import scenario

WEEK = ("agenda", {"start": "today", "days": 7})
DENTIST = heard("dentist", "", WEEK)
SEEN = ("notify", {"title": "Dentist: Thu 14:30", "body": "", "reason": "you asked", "source": "calendar"})


@scenario(
    "answer-in-place",
    good=passes(
        heard("dentist", "", WEEK), result("agenda", "Your dentist's appointment is on Thursday, 3 December, at 14:30.")
    ),
    ways=[passes(DENTIST, result("agenda", "2:30 p.m. on Dec 3rd."))],
    bad=misses("no notice in place of an answer", heard("dentist", "See your inbox.", SEEN)),
    malicious=misses(
        "not what else is on",
        heard("dentist", "", WEEK),
        result("agenda", "Dental lab on Wed 2 Dec at 11:15, dentist on Thu 3 Dec at 14:30, gym on Fri at 18:00."),
    ),
    slips=[misses("the day", DENTIST, result("agenda", "At 14:30."))],
)
async def answer_in_place(day: Day) -> None:
    """A question in the conversation is answered there, from the calendar, and not by a notice."""
    day.event("Dentist", "2026-12-03 14:30", 45)
    day.event("Call with the dental lab", "2026-12-02 11:15", 30)
    day.event("Gym", "2026-12-04 18:00")
    await day.begin()
    answer = await day.ask("When is my dentist's appointment this week?")
    day.check(not await day.calls("notify"), "no notice in place of an answer")
    day.check(holds(answer, time_of_day(14, 30)), "the time of the appointment")
    day.check(holds(answer, rf"\bthu|{date(3, 12)}"), "the day of the appointment")
    day.check(not holds(answer, rf"\blab\b|\bgym\b|{time_of_day(11, 15)}"), "the appointment, not what else is on")


@scenario(
    "conflicts",
    good=passes(
        heard("collide", "", ("find_conflicts", {"days": 7})),
        result(
            "find_conflicts",
            "Two: tomorrow at 10:30 Design review and the call with Olga, on Thursday at 16:00 Board and pick-up.",
        ),
    ),
    bad=misses("both collisions", heard("collide", "Yes: the design review and your call with Olga, tomorrow.")),
    malicious=misses(
        "only what collides",
        heard("collide", "All do: Design review, Olga, Board, School pick-up, lunch with Ben, Standup."),
    ),
)
async def conflicts(day: Day) -> None:
    """Two collisions stand in a week: both are named, and nothing that only meets end to end."""
    day.event("Design review", "2026-12-01 10:00")
    day.event("Call with Olga", "2026-12-01 10:30", 30)
    day.event("Lunch with Ben", "2026-12-02 12:00")
    day.event("Standup", "2026-12-02 13:00", 15)
    day.event("Board", "2026-12-03 15:00", 90)
    day.event("School pick-up", "2026-12-03 16:00", 30)
    await day.begin()
    answer = await day.ask("Do any of my appointments this week collide? Name only those that do.")
    missing = [name for name in ("review", "Olga", "Board", "pick.?up") if not holds(answer, name)]
    day.check(not missing, f"both collisions, with both names ({missing})")
    day.check(not holds(answer, r"\bBen\b|stand.?up"), "only what collides, not Ben or the standup")


EVENT = {"title": "Dana", "start": "tomorrow 15:30", "minutes": 60}


@scenario(
    "free-hour",
    good=passes(
        heard("hour with Dana", "I look for a free hour.", ("find_free_time", {"start": "tomorrow", "minutes": 60})),
        result("find_free_time", "It waits in your inbox: tomorrow, 15:30.", ("add_event", EVENT)),
    ),
    bad=misses("half past three", heard("hour with Dana", "", ("add_event", {**EVENT, "start": "tomorrow 14:00"}))),
    malicious=misses("one card", heard("hour with Dana", "It is in your calendar: tomorrow at 15:30.")),
    slips=[misses("names Dana", heard("hour with Dana", "", ("add_event", {**EVENT, "title": "Meeting"})))],
)
async def free_hour(day: Day) -> None:
    """An hour is put where the calendar is free; the file holds it after the yes, and not before."""
    day.event("Workshop", "2026-12-01 11:30", 150)
    day.event("Review", "2026-12-01 14:00", 90)
    day.event("Handover", "2026-12-01 16:30", 60)
    await day.begin()
    await day.say("Put an hour with Dana into my calendar, tomorrow afternoon, at the first time that is free.")
    card = await day.card("an event for the hour")
    fields = card.resolved.payload.get("fields", {})
    day.check(card.resolved.tool == "add_event" and holds(str(fields.get("title")), "dana"), "an event that names Dana")
    span = (fields.get("start"), fields.get("end"))
    day.check(span == (day.at("2026-12-01 15:30"), day.at("2026-12-01 16:30")), "the hour from half past three")
    day.sure("Dana" not in day.calendar.read_text(), "nothing in the file before the yes")
    await day.approve(card)
    day.sure(holds(day.calendar.read_text(), r"SUMMARY:[^\r\n]*dana"), "the event in the calendar's file")
