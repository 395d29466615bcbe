"""``python -m bench.google_double MAILS``: the double of Google, without its quota, and so many mails in its INBOX."""

from __future__ import annotations

import random
import sys
import threading
import time

from bench.intake import letter
from tests.connectors.gmail.account import ALEX
from tests.google import Google
from tests.google.server import reach

NO_QUOTA = 10**12


def serve(mails: int) -> None:
    google = Google(ALEX, control=lambda order: reach(google, order))
    google.service.quota.units = NO_QUOTA
    chance, began = random.Random(1), time.time() - 30 * 86_400
    for number in range(mails):
        google.mailbox.deliver(letter(number, chance), at=began + number)
    google.start()
    print(f"port={google.port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
