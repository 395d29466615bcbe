"""Some fields of many contexts, without the rest of them."""

from __future__ import annotations

from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore

NAMES = ["a", "list", "no", "odd"]


async def test_fields_of_what_is_there_now_in_the_order_of_the_log(store: ContextStore, clock: ManualClock) -> None:
    for n in range(5):
        data = {"a": n, "list": [{"x": n}], "odd": "\udc80ü", "text": "x" * 1000}
        await store.store(data, namespace="raw.mail", context_id=f"m{n}", ttl=10.0 if n == 4 else None)
    await store.store({"a": 10}, namespace="raw.mail", context_id="m0")
    await store.store({"a": "else"}, namespace="raw.chat", context_id="m1")
    await store.delete("m2", namespace="raw.mail")
    await clock.advance(11)
    found = await store.fields("raw.mail", NAMES[:3])
    assert [row[1:] for row in found] == [
        ("m1", 1, [{"x": 1}], None),
        ("m3", 3, [{"x": 3}], None),
        ("m0", 10, None, None),
    ]
    assert await store.fields("raw.mail", ["a"], after_seq=found[0][0], limit=1) == [found[1][:3]]
    named = await store.fields("raw.mail", ["a"], context_ids=["m0", "m2", "m4", "nowhere"])
    assert [row[1:] for row in named] == [("m0", 10)]
    assert await store.fields("raw.mail", ["a"], context_ids=[]) == []
    assert await store.fields("nowhere", ["a"]) == []
    [(_, _, odd)] = await store.fields("raw.mail", ["odd"], context_ids=["m1"])
    assert odd == "\ufffd\ufffd\ufffdü"
