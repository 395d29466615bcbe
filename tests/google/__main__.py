"""``python -m tests.google --port 0 --state FILE ADDRESS`` prints ``port=N`` and serves until it is killed."""

from __future__ import annotations

import argparse
import pickle
import threading
from pathlib import Path

from tests.google.server import Google, reach


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("address", nargs="*")
    options = parser.parse_args()
    state: Path = options.state
    known = pickle.loads(state.read_bytes()) if state.exists() else None
    saving = threading.Lock()

    def save() -> None:
        with saving:
            new = state.with_suffix(".new")
            with google.service.lock:
                new.write_bytes(pickle.dumps(google.service))
            new.replace(state)

    def control(order: bytes) -> bytes:
        with google.service.lock:
            answer = reach(google, order)
        save()
        return answer

    google = Google(*options.address, port=options.port, state=known, control=control, answered=save)
    google.start()
    print(f"port={google.port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
