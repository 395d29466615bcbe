"""``python -m bench``: every measurement, one table, and ``bench/results.json``."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from bench import accounts, calendar, idle, intake, meaning, parsers, prompt, query, reply, rules, screen, store

RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    rows = [*store.rows(), *query.rows(), *meaning.rows(), *rules.rows(), *reply.rows(), *prompt.rows()]
    rows += [*screen.rows(), *parsers.rows(), *idle.rows(), *intake.rows(), *accounts.rows(), *calendar.rows()]
    for row in rows:
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}".rstrip())
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "rows": [{"name": r.name, "value": round(r.value, 3), "unit": r.unit, "goal": r.goal} for r in rows],
    }
    RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
