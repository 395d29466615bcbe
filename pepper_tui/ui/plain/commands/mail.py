"""The commands of the mail: the threads, one thread, its files, and an answer to it, which becomes a card."""

from __future__ import annotations

from typing import Final

from pepper_tui.domains.mail.listing.records import ThreadMail
from pepper_tui.model import Written
from pepper_tui.text import clean, one_line
from pepper_tui.ui.plain.commands.given import LISTED, Given
from pepper_tui.ui.screen.mail.mail_lines import person_words, size_words
from pepper_tui.ui.screen.mail.thread_lines import row_words
from pepper_tui.ui.shared import words

THREAD: Final = "thread:"


async def mail(given: Given, rest: str) -> None:
    engine = given.engine
    page = await engine.mails(rest, limit=LISTED)
    told = f"; {page.told}" if page.told else ""
    unread = f", {page.unread:,} unread" if page.unread else ""
    given.say(f"Mail: {page.total or 'no'} threads{unread}{told}")
    now = given.talk.clock.now()
    for row in page.rows:
        given.say(f"{given.talk.numbers.of(THREAD + row.id)}: {row_words(row, now, engine.zone)}")
    if page.total > len(page.rows):
        given.say(f"And {page.total - len(page.rows):,} more; words after the command narrow them, as in from:alice")


async def open_thread(given: Given, rest: str) -> None:
    engine = given.engine
    mails = await engine.mail_thread(_thread(given, rest))
    for each in mails:
        marks = ", ".join(filter(None, ["unread" if each.unread else "", *each.marks]))
        who = "you" if each.own else person_words(each.sender)
        given.say(
            f"From {who}, {words.moment(each.at, engine.zone)}" + (f", {marks}" if marks else ""),
            f"To {', '.join(map(person_words, each.to)) or 'nobody'}",
            f"Subject: {one_line(each.subject, 300) or '(none)'}",
            *(f"Careful: {one_line(doubt, 300)}" for doubt in each.doubts),
            *_files(each),
            f"  {clean(each.text)}",
        )
    given.say(f"To answer: /reply {rest} and your words")


async def attached(given: Given, rest: str) -> None:
    number, _, which = rest.partition(" ")
    mails = await given.engine.mail_thread(_thread(given, number))
    files = [(each, place) for each in mails for place in range(len(each.attachments))]
    chosen = int(which) if which.strip().isdecimal() else 1
    if (which.strip() and not which.strip().isdecimal()) or not 0 < chosen <= len(files):
        raise ValueError(f"the thread has {len(files) or 'no'} files; say the number of one, the oldest mail's first")
    found, place = files[chosen - 1]
    read = await given.engine.attachment_text(found.id, place)
    named = one_line(str(found.attachments[place].get("name") or "unnamed"), 120)
    given.say(
        f"File {chosen} of {len(files)}: {named}",
        *(f"Careful: {one_line(note, 400)}" for note in read.notes),
        f"  {clean(read.text) or '(there is no text in it)'}",
    )


async def reply(given: Given, rest: str) -> None:
    number, _, text = rest.partition(" ")
    mails = await given.engine.mail_thread(_thread(given, number))
    answered = next((each for each in reversed(mails) if not each.own), mails[-1])
    await given.engine.write_mail("reply", answered.id, {"body": Written.by(text.strip(), given.origin)})
    given.say(f"Written to {person_words(answered.sender)}; its card comes now, and nothing is sent before your yes")


def _thread(given: Given, number: str) -> str:
    ref = given.talk.numbers.ref(number)
    if not ref.startswith(THREAD):
        raise ValueError(f"{number} is no mail; /mail says their numbers")
    return ref.removeprefix(THREAD)


def _files(mail: ThreadMail) -> list[str]:
    named = [
        f"{one_line(str(each.get('name') or ''), 120)} ({size_words(each.get('size'))})" for each in mail.attachments
    ]
    return [f"Attached: {', '.join(named)}"] if named else []
