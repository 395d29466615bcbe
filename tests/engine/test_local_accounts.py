"""Several accounts of mail on this machine: each with its addresses, its folders, and its own way to send."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.model import Namespace
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.engine.desk import BARE, Desk, calls
from tests.engine.test_upgraded_mail import LINE, Sensing, taken_in
from tests.tools.sink import Sink

CONFIG = (
    BARE
    + """[[account]]
id = "home"
kind = "maildir"
paths = "home"
address = "sam@home.example"
smtp = {{ host = "127.0.0.1", port = {0}, security = "none" }}
[[account]]
id = "work"
kind = "maildir"
paths = ["work"]
address = "sam@work.example"
identities = ["Sales <sales@work.example>"]
archive = "Done"
smtp = {{ host = "127.0.0.1", port = {1}, security = "none" }}
[[account]]
id = "cron"
kind = "mbox"
paths = "box"
"""
)


async def test_each_is_read_answered_from_and_filed_at_by_itself(tmp_path: Path, clock: ManualClock) -> None:
    roots = {name: make_maildir(tmp_path / name) for name in ("home", "work")}
    make_maildir(roots["home"] / ".Archive")
    make_maildir(roots["work"] / ".Done")
    deliver(roots["home"], mail("Ann <ann@x.example>", "sam@home.example", "One", number=1), "1.host")
    deliver(roots["work"], mail("Ann <ann@x.example>", "sales@work.example", "Two", number=2), "1.host")
    deliver(roots["work"] / ".Done", mail(number=4, subject="Four"), "4.host")
    (tmp_path / "box").write_bytes(LINE + mail("root@x.example", "sam", "Three", number=3) + b"\n")
    async with (
        Sink() as at_home,
        Sink() as at_work,
        Desk(tmp_path, clock, CONFIG.format(at_home.port, at_work.port), Sensing) as desk,
    ):
        await taken_in(desk, 4)
        raws = {row["subject"]: row for row in await desk.rows(f"{Namespace.RAW}.mail")}
        assert [raws[name]["account"] for name in ("One", "Two", "Three")] == ["home", "work", "cron"]
        copies = {row["id"]: row["copies"][0] for row in await desk.rows("mail.state")}
        lying = [copies[raws[name]["id"]] for name in ("One", "Two", "Three", "Four")]
        assert [(each["account"], each["use"]) for each in lying] == [
            ("home", "inbox"), ("work", "inbox"), ("cron", ""), ("work", "archive"),
        ]  # fmt: skip

        await desk.says("answer", calls(("draft_reply", {"message_id": raws["Two"]["id"], "body": "Yes."})))
        await desk.engine.approve((await desk.card()).id)
        await desk.until(lambda: bool(at_work.taken))
        assert (at_work.taken[0].sender, at_home.taken) == ("sales@work.example", [])
        await desk.until(lambda: [*roots["work"].rglob("*:2,R")])  # marked there as answered, as it came from here

        (roots["home"] / "new" / "1.host").rename(roots["home"] / "cur" / "1.host:2,S")

        async def read_elsewhere() -> bool:
            rows = {row["id"]: row["copies"] for row in await desk.rows("mail.state")}
            return rows[raws["One"]["id"]][0]["marks"] == ["seen"]

        await desk.until(read_elsewhere)
        await desk.engine.file([f"mail:{raws[name]['id']}" for name in ("One", "Two")], "archive")
        await desk.until(lambda: [*(roots["home"] / ".Archive").rglob("1.host*")])
        await desk.until(lambda: [*(roots["work"] / ".Done").rglob("1.host*")])
