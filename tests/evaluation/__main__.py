"""``python -m tests.evaluation --model NAME --base-url URL``: how well a model does as Pepper's, scenario by scenario.

The key is read from the environment (``KEY``, or what ``--key-from`` names). The last line sums up. The exit code is 0
where the model answered, however well, 1 where it never did, 2 where it can't be asked.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from functools import partial

from tests.evaluation.day import Asked
from tests.evaluation.run import PACKAGED, packaged, run
from tests.evaluation.scenarios import TABLE


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    parser.add_argument("--model", default="", help=f"its name at the server; {PACKAGED}: the small one of the tests")
    parser.add_argument("--base-url", default="https://api.openai.com/v1", help="of its OpenAI-compatible server")
    parser.add_argument("--key-from", default="KEY", help="the environment variable that holds the key (KEY)")
    parser.add_argument("--option", action="append", default=[], help="""a line of [models], as 'temperature = 0.0'""")
    parser.add_argument("--only", nargs="*", default=[], help="those whose name holds one of these words")
    parser.add_argument("--repeat", type=int, default=1, help="how often to play each")
    parser.add_argument("--most", type=float, default=5.0, help="US dollars after which no other is begun (5; 0: any)")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of lines")
    parser.add_argument("--list", action="store_true", help="what each scenario asks; plays none")
    asked = parser.parse_args(arguments)
    chosen = [each for each in TABLE if not asked.only or any(words in each.name for words in asked.only)]
    if asked.list:
        print("\n".join(f"{each.name:<24}{each.asks}" for each in chosen))
        return 0
    if not asked.model or not chosen or asked.repeat < 1:
        parser.print_usage(sys.stderr)
        said = "say MODEL=…, and BASE_URL=… where it is not OpenAI's" if not asked.model else "nothing to play"
        print(said, file=sys.stderr)
        return 2
    logging.getLogger().addHandler(logging.NullHandler())  # what a model does wrong is told by the outcome
    key = f"env:{asked.key_from}" if os.environ.get(asked.key_from) else ""
    there = contextlib.nullcontext(Asked(asked.model, asked.base_url, key, tuple(asked.option)))
    tell = partial(print, flush=True, file=sys.stderr if asked.json else sys.stdout)
    try:
        with packaged() if asked.model == PACKAGED else there as model:
            report = run(chosen, model, repeat=asked.repeat, most=asked.most, tell=tell)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(report.data(), indent=1) if asked.json else "\n".join([*report.repeated(), report.line]))
    return 0 if report.answered else 1


if __name__ == "__main__":
    sys.exit(main())
