"""One connection to the model of an IMAP server, as the protocol has it (RFC 3501, 4315, 6851, 7162).

What happened meanwhile is told where the protocol allows it: by NOOP, IDLE, and before a folder is asked by UIDs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tests.simulation.loop import Ended
from tests.simulation.mail.imap_server import DELETED, ImapServer, Lying

_TOKEN: Final = re.compile(
    rb'"((?:[^"\\]|\\.)*)"|([()])|([^\s()"\[]*\[[^\]]*\][^\s()]*|[^\s()"]+)'
)  # a string, a parenthesis, an atom
_LITERAL: Final = re.compile(rb"\{(\d+)\+?\}$")
_PART: Final = re.compile(rb"<0\.(\d+)>$")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
Tokens = list[Any]
"""Bytes, and lists of the same."""


class NoError(Exception):
    """The server would not do it."""


class BadError(Exception):
    """The server does not understand it."""


class Talk:
    """``feed`` it what the client sends; ``out`` is what the server says. ``over``: it has hung up.

    ``fate`` of a command, by its name: it acts, and may say a part of its answer or none; see ``Road``.
    """

    def __init__(self, server: ImapServer, fate: Callable[[str], str]) -> None:
        self._server, self._fate = server, fate
        self.out = bytearray(b"* OK ready\r\n")
        self.over = False
        self.folder = ""
        self._input = bytearray()
        self._parts: list[bytes] = []  # of the command so far: lines and literals by turns
        self._literal: int | None = None
        self._idles = b""  # the tag of IDLE, while it lasts
        self._view: dict[int, frozenset[bytes]] = {}  # the mails as the client knows them, in order, and their flags

    def feed(self, data: bytes) -> None:
        self._input += data
        while not self.over and self._step():
            pass

    def told(self, folder: str) -> bool:
        """Say what has happened in a folder, if the client listens; return whether something was said."""
        if self._idles and folder == self.folder and not self.over:
            news = self._news(gone=True)
            self.out += news
            return bool(news)
        return False

    def _step(self) -> bool:
        if self._literal is not None:
            if len(self._input) < self._literal:
                return False
            self._parts.append(bytes(self._input[: self._literal]))
            del self._input[: self._literal]
            self._literal = None
            return True
        end = self._input.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._input[:end])
        del self._input[: end + 2]
        if self._idles and line.upper() == b"DONE":
            self._run(b"DONE", lambda: b"")
            return True
        if match := _LITERAL.search(line):
            self._parts.append(line[: match.start()])
            self._literal = int(match[1])
            self.out += b"+ go on\r\n"
            return True
        parts, self._parts = [*self._parts, line], []
        tokens = _read(parts)
        tag, name = tokens.pop(0), tokens.pop(0).upper()
        if name == b"UID":
            name += b" " + tokens.pop(0).upper()
        self._run(name, lambda: self._answer(tag, name, tokens))
        return True

    def _run(self, name: bytes, act: Callable[[], bytes]) -> None:
        fate = self._fate(name.decode())
        if fate == "before":
            self.over = True
            return
        if name == b"DONE":
            said = self._news(gone=True) + self._idles + b" OK done\r\n"
            self._idles = b""
        else:
            said = act()
        if fate == "kill":
            raise Ended
        if fate == "in":
            said = said[: len(said) // 2]
        self.out += said if fate not in ("after", "silent") else b""
        self.over = fate in ("in", "after") or name == b"LOGOUT"

    def _answer(self, tag: bytes, name: bytes, given: Tokens) -> bytes:
        if name == b"IDLE":
            self._idles = tag
            return b"+ idling\r\n"
        try:
            said, code = getattr(self, f"_do_{name.decode().lower().replace(' ', '_')}", self._unknown)(given)
        except NoError as error:
            return tag + b" NO " + str(error).encode() + b"\r\n"
        except BadError as error:
            return tag + b" BAD " + str(error).encode() + b"\r\n"
        news = self._news(gone=True) if name in (b"NOOP", b"UID MOVE", b"UID EXPUNGE") else b""
        return bytes(said + news + tag + b" OK " + code + b"done\r\n")

    def _unknown(self, given: Tokens) -> tuple[bytes, bytes]:
        raise BadError("unknown command")

    # ------------------------------------------------------------------------------------------- without a folder

    def _do_capability(self, given: Tokens) -> tuple[bytes, bytes]:
        return b"* CAPABILITY " + " ".join(("IMAP4rev1", *sorted(self._server.abilities))).encode() + b"\r\n", b""

    def _do_login(self, given: Tokens) -> tuple[bytes, bytes]:
        if (why := self._fate("sign-in")) not in ("", "done"):
            raise NoError(f"[{why}] not now")
        return b"", b""

    def _do_logout(self, given: Tokens) -> tuple[bytes, bytes]:
        return b"* BYE so long\r\n", b""

    def _do_noop(self, given: Tokens) -> tuple[bytes, bytes]:
        return b"", b""

    def _do_list(self, given: Tokens) -> tuple[bytes, bytes]:
        wanted = given[1].decode()
        said = b""
        for folder in self._server.folders.values():
            if wanted in ("*", folder.name):
                said += b'* LIST (\\HasNoChildren %s) "/" "%s"\r\n' % (folder.use, folder.name.encode())
        return said.replace(b"Children )", b"Children)"), b""

    def _do_status(self, given: Tokens) -> tuple[bytes, bytes]:
        folder = self._folder(given[0])
        values = {
            b"UIDVALIDITY": folder.validity,
            b"UIDNEXT": folder.next,
            b"MESSAGES": len(folder.mails),
            b"HIGHESTMODSEQ": folder.count,
        }
        said = b" ".join(b"%s %d" % (key, values[key]) for key in given[1])
        return b'* STATUS "%s" (%s)\r\n' % (given[0], said), b""

    def _do_select(self, given: Tokens) -> tuple[bytes, bytes]:
        self.folder = ""
        folder = self._folder(given[0])
        self.folder = folder.name
        self._view = {mail.uid: frozenset(mail.flags) for mail in folder.mails.values()}
        said = b"* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)\r\n* %d EXISTS\r\n* 0 RECENT\r\n" % len(
            self._view
        )
        said += b"* OK [UIDVALIDITY %d] x\r\n* OK [UIDNEXT %d] x\r\n" % (folder.validity, folder.next)
        if "CONDSTORE" in self._server.abilities:
            said += b"* OK [HIGHESTMODSEQ %d] x\r\n" % folder.count
        return said, b""

    def _do_examine(self, given: Tokens) -> tuple[bytes, bytes]:
        return self._do_select(given)[0], b"[READ-ONLY] "

    def _do_append(self, given: Tokens) -> tuple[bytes, bytes]:
        folder = self._folder(given[0])
        flags = next((each for each in given[1:] if isinstance(each, list)), [])
        mail = folder.add(given[-1], flags, self._server.now())
        self._server.changed(folder.name)
        code = b"[APPENDUID %d %d] " % (folder.validity, mail.uid) if "UIDPLUS" in self._server.abilities else b""
        return b"", code

    # ------------------------------------------------------------------------------------------- in the open folder

    def _do_uid_search(self, given: Tokens) -> tuple[bytes, bytes]:
        news = self._news(gone=False)
        if given and given[0].upper() == b"CHARSET":
            given = given[2:]
        found = [mail.uid for mail in self._open.mails.values() if _fits(mail, [*given], self._open.next)]
        return news + b"* SEARCH" + b"".join(b" %d" % uid for uid in found) + b"\r\n", b""

    def _do_uid_fetch(self, given: Tokens) -> tuple[bytes, bytes]:
        news, places = self._news(gone=False), self._places()
        uids = _numbers(given[0], self._open.next)
        mails = [mail for uid, mail in self._open.mails.items() if uid in uids]
        return news + b"".join(_fetched(places[mail.uid], mail, [b"UID", *given[1]]) for mail in mails), b""

    def _do_fetch(self, given: Tokens) -> tuple[bytes, bytes]:
        """By position, as the client knows them."""
        since = int(given[2][1]) if len(given) > 2 else 0
        numbers = _numbers(given[0], len(self._view) + 1)
        said = b""
        for uid, place in self._places().items():
            mail = self._open.mails.get(uid)
            if place in numbers and mail is not None and mail.changed > since:
                said += _fetched(place, mail, [*given[1], *([b"MODSEQ"] if since else [])])
        return said, b""

    def _do_uid_store(self, given: Tokens) -> tuple[bytes, bytes]:
        uids, on = _numbers(given[0], self._open.next), given[1].startswith(b"+")
        for uid, mail in self._open.mails.items():
            if uid in uids:
                for flag in given[2]:
                    self._open.mark(mail, flag, on=on)
        self._server.changed(self.folder)
        return b"", b""

    def _do_uid_copy(self, given: Tokens) -> tuple[bytes, bytes]:
        return b"", self._copied(given, move=False)

    def _do_uid_move(self, given: Tokens) -> tuple[bytes, bytes]:
        if "MOVE" not in self._server.abilities:
            raise BadError("unknown command")
        code = self._copied(given, move=True)
        return (b"* OK " + code + b"\r\n" if code else b""), b""

    def _copied(self, given: Tokens, *, move: bool) -> bytes:
        to = self._folder(given[1])
        uids = sorted(_numbers(given[0], self._open.next) & self._open.mails.keys())
        new = []
        for uid in uids:
            mail = self._open.mails[uid]
            made = self._server.move(uid, self.folder, to.name) if move else to.add(mail.source, mail.flags, mail.at)
            new.append(made.uid)
        self._server.changed(to.name)
        self._server.changed(self.folder)
        if not new or "UIDPLUS" not in self._server.abilities:
            return b""
        pairs = (b",".join(b"%d" % uid for uid in each) for each in (uids, new))
        return b"[COPYUID %d %s %s] " % (to.validity, *pairs)

    def _do_uid_expunge(self, given: Tokens) -> tuple[bytes, bytes]:
        for uid in _numbers(given[0], self._open.next) & self._open.mails.keys():
            if DELETED in self._open.mails[uid].flags:
                self._open.remove(uid)
        self._server.changed(self.folder)
        return b"", b""

    # ------------------------------------------------------------------------------------------- what is said unasked

    def _news(self, *, gone: bool) -> bytes:
        """Return what the client does not know yet of the open folder; of what is ``gone`` only if that may be said."""
        if not self.folder:
            return b""
        mails, said = self._open.mails, b""
        if gone:
            for uid, place in reversed(self._places().items()):
                if uid not in mails:
                    said += b"* %d EXPUNGE\r\n" % place
                    del self._view[uid]
        if new := [uid for uid in mails if uid not in self._view]:
            self._view |= {uid: frozenset(mails[uid].flags) for uid in new}
            said += b"* %d EXISTS\r\n" % len(self._view)
        if gone:
            for uid, place in self._places().items():
                if (flags := frozenset(mails[uid].flags)) != self._view[uid]:
                    self._view[uid] = flags
                    said += b"* %d FETCH (FLAGS (%s))\r\n" % (place, b" ".join(sorted(flags)))
        return said

    def _places(self) -> dict[int, int]:
        return {uid: number for number, uid in enumerate(self._view, 1)}

    @property
    def _open(self) -> Any:
        if not self.folder:
            raise BadError("no folder is open")
        return self._server.folders[self.folder]

    def _folder(self, name: bytes) -> Any:
        found = self._server.folders.get(name.decode())
        if found is None:
            raise NoError("[NONEXISTENT] there is no such folder")
        return found


def _read(parts: Sequence[bytes]) -> Tokens:
    """Return the tokens of a command; every second part is a literal."""
    stack: list[Tokens] = [[]]
    for number, part in enumerate(parts):
        if number % 2:
            stack[-1].append(part)
            continue
        for quoted, paren, atom in _TOKEN.findall(part):
            if paren == b"(":
                stack.append([])
            elif paren == b")":
                inner = stack.pop()
                stack[-1].append(inner)
            else:
                stack[-1].append(atom or re.sub(rb"\\(.)", rb"\1", quoted))
    return stack[0]


def _numbers(said: bytes, following: int) -> set[int]:
    """Return the numbers of a set; ``*`` is the last one before ``following``."""
    found: set[int] = set()
    for part in said.split(b","):
        first, _, last = part.partition(b":")
        ends = [max(1, following - 1) if each == b"*" else int(each) for each in (first, last or first)]
        found |= set(range(min(ends), max(ends) + 1))
    return found


def _fetched(place: int, mail: Lying, items: Sequence[bytes]) -> bytes:
    return b"* %d FETCH (%s)\r\n" % (place, b" ".join(_item(mail, each) for each in items))


def _item(mail: Lying, item: bytes) -> bytes:
    match item:
        case b"UID":
            return b"UID %d" % mail.uid
        case b"FLAGS":
            return b"FLAGS (%s)" % b" ".join(sorted(mail.flags))
        case b"MODSEQ":
            return b"MODSEQ (%d)" % mail.changed
        case b"RFC822.SIZE":
            return b"RFC822.SIZE %d" % len(mail.source)
        case b"INTERNALDATE":
            at = datetime.fromtimestamp(mail.at, UTC)
            return f'INTERNALDATE "{at.day:2}-{_MONTHS[at.month - 1]}-{at:%Y %H:%M:%S} +0000"'.encode()
    if item.startswith(b"BODY.PEEK[HEADER.FIELDS"):
        text = f"Message-ID: {mail.message_id}\r\n\r\n".encode()
        return b"BODY[HEADER.FIELDS (MESSAGE-ID)] {%d}\r\n%s" % (len(text), text)
    if item.startswith(b"BODY.PEEK[]") and (part := _PART.search(item)):
        text = mail.source[: int(part[1])]
        return b"BODY[]<0> {%d}\r\n%s" % (len(text), text)
    raise BadError(f"unknown item {item!r}")


def _fits(mail: Lying, keys: Tokens, following: int) -> bool:
    while keys:
        if not _one(mail, keys, following):
            return False
    return True


def _one(mail: Lying, keys: Tokens, following: int) -> bool:
    """Check the first of the ``keys``, which is taken out."""
    key = keys.pop(0)
    if isinstance(key, list):
        return _fits(mail, [*key], following)
    match key.upper():
        case b"ALL":
            return True
        case b"UID":
            return mail.uid in _numbers(keys.pop(0), following)
        case b"NOT":
            return not _one(mail, keys, following)
        case b"OR":
            both = [_one(mail, keys, following), _one(mail, keys, following)]
            return any(both)
        case b"HEADER":
            name, value = keys.pop(0), keys.pop(0)
            return name.upper() == b"MESSAGE-ID" and value.decode() in mail.message_id
        case b"UNSEEN" | b"SEEN" | b"UNDELETED" | b"UNFLAGGED" | b"UNANSWERED" as flag:
            bare = flag.removeprefix(b"UN").lower()
            return ((b"\\" + bare) in {each.lower() for each in mail.flags}) is not flag.startswith(b"UN")
        case b"TEXT" | b"BODY" | b"SUBJECT" | b"FROM" | b"TO" | b"CC":
            return keys.pop(0).lower() in mail.source.lower()
        case b"SINCE" | b"BEFORE" | b"SENTSINCE" | b"SENTBEFORE":
            keys.pop(0)
            return True
    raise BadError(f"unknown key {key!r}")
