"""The bytes of a mail at the server, to send it on."""

from __future__ import annotations

import pytest

from pepper_tui.domains.mail.writing.originals import carried_over
from pepper_tui.tools import ToolError
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.servers import Server
from tests.domains.mail.mails import mail


async def test_a_mail_is_had_from_its_folder_while_it_lies_there(server: Server, account: Make) -> None:
    source = mail(number=1, subject="Plan").replace(b"\n", b"\r\n")
    with server.other() as other:
        other.deliver(source)
        work = account(server.port)
        await work.start()
        await work.until_signals(1)
        [known] = [each.data for each in await work.mails()]
        [place] = work.built.originals
        found = await place(known)
        assert found is not None
        assert found.rstrip() == source.rstrip()  # the servers differ in the last line's end
        [(file, data)] = await carried_over([(known, -1)], work.built.originals)
        assert (file.name, data) == ("Plan.eml", found)
        assert other.unread() == 1
        assert await place({**known, "account": "another"}) is None
        root, name = known["files"][0]
        assert await place({**known, "files": [[root, f"1{name}"]]}) is None  # the folder was numbered anew
        other.remove("<m1@example.com>")
        assert await place(known) is None
        with pytest.raises(ToolError, match="can't be had from its server"):
            await place({**known, "label": "Nowhere"})
