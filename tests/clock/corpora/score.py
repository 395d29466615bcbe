"""Scores `pepper when` against phrases of public corpora.

    python -m tests.clock.corpora.score [development|held_out] [--show]

Each group of rows of one moment, zone and locale is one run of `pepper when --json`. `--show` lists the rows that are
not right; it refuses to list those of held_out, which nothing may be tuned to.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TABLES = ("development", "held_out")
IGNORED = {"BYHOUR", "BYMINUTE", "BYSECOND", "WKST"}  # the first occurrence says these
OCCURRENCES = 5

Row = dict[str, Any]
Answer = dict[str, Any]
Verdict = Literal["right", "asked", "asked wrongly", "refused", "wrong"]
VERDICTS: tuple[Verdict, ...] = ("right", "asked", "asked wrongly", "refused", "wrong")


def rows_of(table: str) -> list[Row]:
    text = (HERE / f"{table}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def minutes_of(wall: str, zone: str) -> set[datetime]:
    """The moments, to the minute, that a wall time stands for: two in the hour that a clock change repeats."""
    local = datetime.fromisoformat(wall)
    folds = (local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    return {moment.astimezone(UTC).replace(second=0, microsecond=0) for moment in folds}


def minute_of(said: str, zone: str) -> datetime:
    moment = datetime.fromisoformat(said)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def occurrences(rule: str, start: datetime) -> list[datetime] | None:
    """The next few occurrences of a rule from its first one; None for a rule that cannot be read."""
    parts = rule.removeprefix("RRULE:").strip().strip(";").split(";")
    kept = [part for part in parts if part.partition("=")[0].upper() not in IGNORED]
    plain = ";".join(part.removesuffix("Z") if part.upper().startswith("UNTIL=") else part for part in kept)
    try:
        return list(islice(rrulestr(plain, dtstart=start), OCCURRENCES))
    except (ValueError, TypeError, KeyError):
        return None


def same_rule(expected: Sequence[str], given: str, start: datetime) -> bool:
    if not given or not any(expected):
        return not given and not any(expected)
    found = occurrences(given, start)
    return bool(found) and any(occurrences(rule, start) == found for rule in expected)


def matches(row: Row, reading: Answer, walls: Sequence[str]) -> bool:
    """Whether a reading is one of these wall times, with the row's rule."""
    if not reading.get("at"):
        return False
    rules = [row["rrule"], *row.get("also_rrule", [])]
    given = minute_of(reading["at"], row["zone"])
    return any(
        given in minutes_of(wall, row["zone"])
        and same_rule(rules, reading.get("rrule") or "", datetime.fromisoformat(wall))
        for wall in walls
    )


def verdict(row: Row, answer: Answer) -> Verdict:
    offered: list[Answer] = answer.get("ask") or []
    if row["at"] is None:
        if offered:
            return "asked wrongly"
        return "wrong" if answer.get("at") else "right"
    accepted = [row["at"], *row["also"]]
    if row.get("ask"):
        if not offered:
            return "wrong" if answer.get("at") else "refused"
        found = [any(matches(row, reading, [wall]) for reading in offered) for wall in accepted]
        return "right" if all(found) else "asked" if any(found) else "asked wrongly"
    if offered:
        return "asked" if any(matches(row, reading, accepted) for reading in offered) else "asked wrongly"
    if not answer.get("at"):
        return "refused"
    return "right" if matches(row, answer, accepted) else "wrong"


def read(phrases: Sequence[str], now: str, zone: str, locale: str) -> list[Answer]:
    command = [sys.executable, "-m", "pepper_tui", "when", "--json", "--now", now, "--zone", zone, "--locale", locale]
    run = subprocess.run(
        command,
        input="".join(f"{phrase}\n" for phrase in phrases),
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
        timeout=600,
    )
    answers: list[Answer] = [json.loads(line) for line in run.stdout.splitlines() if line.strip()]
    if len(answers) != len(phrases):
        raise SystemExit(f"{' '.join(command)}: {len(answers)} answers to {len(phrases)} phrases\n{run.stderr}")
    return answers


def scored(rows: Sequence[Row]) -> Iterator[tuple[Row, Answer, Verdict]]:
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["now"], row["zone"], row["locale"]].append(row)
    for (now, zone, locale), group in groups.items():
        answers = read([row["text"] for row in group], now, zone, locale)
        for row, answer in zip(group, answers, strict=True):
            yield row, answer, verdict(row, answer)


def language(row: Row) -> str:
    return str(row["locale"]).partition("-")[0]


def shown(row: Row, answer: Answer, given: Verdict) -> str:
    wanted = f"{row['at'] or 'refused'} {row['rrule']}".strip()
    got = [answer, *(answer.get("ask") or [])]
    readings = ", ".join(f"{one['at']} {one.get('rrule') or ''}".strip() for one in got if one.get("at"))
    moment = f"{row['now']} {row['zone']} {row['locale']}"
    return f"{given:13}  {row['text']!r} at {moment}: wanted {wanted}; got {readings or answer.get('why') or 'nothing'}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.clock.corpora.score", description=__doc__)
    parser.add_argument("table", nargs="?", default="development", choices=TABLES)
    parser.add_argument("--show", action="store_true", help="list the rows that are not right")
    options = parser.parse_args(arguments)
    if options.show and options.table == "held_out":
        parser.error("the rows of held_out are not shown: nothing may be tuned to them")
    counts: dict[str, Counter[Verdict]] = defaultdict(Counter)
    began = datetime.now(UTC)
    for row, answer, given in scored(rows_of(options.table)):
        counts[language(row)][given] += 1
        if options.show and given != "right":
            print(shown(row, answer, given))
    print(f"{options.table:12}{'rows':>6}" + "".join(f"{name:>16}" for name in VERDICTS))
    for name in sorted(counts):
        total = counts[name].total()
        cells = (f"{counts[name][one]:>8} {counts[name][one] / total:6.1%}" for one in VERDICTS)
        print(f"{name:12}{total:>6}" + "".join(f"{cell:>16}" for cell in cells))
    print(f"in {(datetime.now(UTC) - began) / timedelta(seconds=1):.0f} s")


if __name__ == "__main__":
    main()
