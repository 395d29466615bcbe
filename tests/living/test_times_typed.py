"""Times as a person types them, in the real program in a real terminal: each is confirmed, asked about, or refused."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.terminal import Terminal

PEPPER = [sys.executable, "-m", "pepper_tui"]
CONFIG = '[user]\nname = "Alex"\nzone = "Europe/Berlin"\nlocale = "en"\n'
WIDE = (200, 50)
DAY = r"\w{3} \d{1,2} \w{3}(?: \d{4})?"
CONFIRMED = (
    ("remind me to call A1 every monday at 8", r"Mon \d+ \w{3}(?: \d{4})? 08:00, every Monday: call A1"),
    ("remind me to call A2 tomorrow at 7", rf"{DAY} 07:00: call A2"),
    ("remind me to call A3 tomorrow at 15", rf"{DAY} 15:00: call A3"),
    ("remind me to call A4 friday at 3", r"Fri \d+ \w{3}(?: \d{4})? 15:00: call A4"),
    ("remind me to call A5 every weekday at 8:30", rf"{DAY} 08:30, every weekday: call A5"),
    ("remind me to call A6 every sat and sun at 10", rf"{DAY} 10:00, every Saturday and Sunday: call A6"),
    ("remind me to call A7 every other tuesday", r"Tue .{5,11} 09:00, every 2 weeks on Tuesday: call A7"),
    ("remind me every last friday to call A8", r"Fri .{5,11} 09:00, on the last Friday of every month: call A8"),
    (
        "remind me on the 31st every month to call A9",
        r"\w{3} 31 \w{3}.{0,5} 09:00, on the 31st of every month: call A9",
    ),
    ("remind me in an hour and a half to call A10", rf"{DAY} \d\d:\d\d(?::\d\d)?: call A10"),
    ("remind me to call A11 on 24.12.", r"\w{3} 24 Dec(?: \d{4})? 09:00: call A11"),
    ("remind me to call A12 at the end of the month", r"\w{3} (?:28|29|30|31) \w{3}(?: \d{4})? 09:00: call A12"),
    ("remind me to call A13 monday next week", r"Mon .{5,11} 09:00: call A13"),
    ("remind me tomorrow morning at 8 to call A14", rf"{DAY} 08:00: call A14"),
    ("erinnere mich morgen um 9 an A15", rf"{DAY} 09:00: A15"),
    ("erinnere mich jeden Freitag um halb neun an A16", r"Fri .{5,11} 08:30, every Friday: A16"),
    ("erinnere mich in einer halben Stunde an A17", rf"{DAY} \d\d:\d\d(?::\d\d)?: A17"),
)
ASKED = {
    "A18": ("remind me to call A18 tomorrow at 5:30", "2", rf"{DAY} 17:30: call A18"),
    "A19": ("remind me to call A19 every day at 5:30", "1", rf"{DAY} 05:30, every day: call A19"),
}
PAST = "remind me to call A20 on 2020-01-01"


def promised(screen: Terminal, text: str) -> bool:
    return re.search(rf"I will remind you on [^\n?│]*: {text}\b", screen.text) is not None


def chosen(screen: Terminal) -> str | None:
    """What the question is about on which the cursor stands."""
    row = re.search(r"▌ \? which time\?\s+Which time: call (A\d+)\?", screen.text)
    return row[1] if row else None


def test_twenty_phrases(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    with Terminal([*PEPPER, "--home", str(tmp_path)], size=WIDE) as screen:

        def tells(pattern: str) -> None:
            screen.wait_for(lambda: re.search(pattern, " ".join(screen.text.split())) is not None, 40)

        screen.wait_for("Ask Pepper", 40)
        for sentence, confirmed in CONFIRMED:
            screen.type(sentence)
            screen.press("enter")
            tells(f"I will remind you on {confirmed}")
        for text, (sentence, _, _) in ASKED.items():
            screen.type(sentence)
            screen.press("enter")
            screen.wait_for(f"Which time: call {text}?", 40)
        screen.type(PAST)
        screen.press("enter")
        screen.wait_for("is past", 40)
        assert not any(promised(screen, f"call {text}") for text in (*ASKED, "A20"))
        screen.press("tab")
        for _ in ASKED:
            screen.wait_for(lambda: chosen(screen) is not None)
            _, key, confirmed = ASKED[str(chosen(screen))]
            screen.press(key)
            tells(f"I will remind you on {confirmed}")
            screen.press("down")
