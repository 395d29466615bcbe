"""What people write: questions, times, answers, and much that is neither."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.domains.mail.box.letters import DAY, FAIL, ME, NONE, START, Maker
from tests.domains.mail.box.words import (
    ASKS,
    BYE,
    HELLO,
    NOT_ASKED,
    NOT_SOON,
    OFFERS,
    OUT_OF_OFFICE,
    PEOPLE,
    SOON,
    STRANGERS,
    TELLS,
)

LANGUAGES = ("en", "de", "fr", "es")
_MONTHS = {
    "en": ("January", "February"),
    "de": ("Januar", "Februar"),
    "fr": ("janvier", "février"),
    "es": ("enero", "febrero"),
}
SUBJECTS = {"en": "The house", "de": "Das Haus", "fr": "La maison", "es": "La casa"}


def day_said(day: float, language: str) -> str:
    """A day as a date in words."""
    at = datetime.fromtimestamp(START + day * DAY, UTC)
    month = _MONTHS[language][at.month - 1]
    return {
        "en": f"{at.day} {month}",
        "de": f"{at.day}. {month}",
        "fr": f"{at.day} {month}",
        "es": f"{at.day} de {month}",
    }[language]


def letter_of(words: str, language: str, name: str) -> str:
    return f"{HELLO[language]}\n\n{words}\n\n{BYE[language].format(name=name)}\n"


def acquaintances(maker: Maker) -> None:
    """The user's own first mails: whoever they went to is somebody to whom the user has written."""
    for language, people in PEOPLE.items():
        for person in people:
            subject, words = SUBJECTS[language], letter_of(TELLS[language][-1], language, ME[0])
            sent = maker.put("own, tells", 0, ME, subject, words, to=person, folder="Sent")
            maker.put(
                "first answer",
                0.4,
                person,
                f"Re: {subject}",
                letter_of(TELLS[language][0], language, person[0]),
                answers=sent,
            )


def questions(maker: Maker) -> None:
    for language, people in PEOPLE.items():
        for number, words in enumerate(ASKS[language] * 2):
            person, day = people[number % len(people)], 1 + number
            maker.put(
                "question",
                day + 0.2,
                person,
                f"{SUBJECTS[language]} {number}",
                letter_of(words, language, person[0]),
                facts="question",
                html=number % 3 == 1,
                quoted="Thank you.\nWill you write?" if number % 4 == 2 else "",
            )
        for number, words in enumerate(TELLS[language] + NOT_ASKED[language]):
            person, day = people[number % len(people)], 1.3 + number
            quoted = ASKS[language][0] if number % 2 else ""
            maker.put(
                "no question",
                day,
                person,
                f"{SUBJECTS[language]} {number}",
                letter_of(words, language, person[0]),
                html=number % 3 == 1,
                quoted=quoted,
            )
        person = people[-1]
        asks = letter_of(ASKS[language][0], language, person[0])
        maker.put(
            "asked of another, in Cc",
            3.5,
            person,
            SUBJECTS[language],
            asks,
            to=("Bob Stone", "bob@firm.example"),
            cc="Alex Rivera <me@example.org>",
        )
        maker.put(
            "asked of a list",
            4.5,
            person,
            SUBJECTS[language],
            ASKS[language][2],
            to=("Garden", "garden@lists.example"),
            List_Id="<garden.lists.example>",
            List_Post="<mailto:garden@lists.example>",
        )
        maker.put(
            "asked by a machine", 5.5, person, SUBJECTS[language], ASKS[language][1], Auto_Submitted="auto-generated"
        )
        maker.put("asked in the junk", 6.5, person, SUBJECTS[language], asks, folder="Junk")
        for number, stranger in enumerate(STRANGERS[language]):
            maker.put(
                "a stranger asks",
                5 + number,
                stranger,
                SUBJECTS[language],
                letter_of(ASKS[language][1], language, stranger[0]),
                signs="first",
            )


def times(maker: Maker) -> None:
    for language, people in PEOPLE.items():
        for number, words in enumerate(SOON[language]):
            person, day = people[number % len(people)], 2 + number
            said = words.format(tomorrow=day_said(day + 1, language))
            maker.put(
                "soon",
                day,
                person,
                SUBJECTS[language],
                letter_of(said, language, person[0]),
                facts="today",
                html=number % 2 == 1,
            )
        for number, words in enumerate(SOON[language][:2]):
            stranger = STRANGERS[language][0]
            maker.put(
                "soon, by a stranger",
                12 + number,
                stranger,
                SUBJECTS[language],
                letter_of(words, language, stranger[0]),
                facts="today",
            )
        for number, words in enumerate(NOT_SOON[language]):
            person, day = people[number % len(people)], 3 + number
            maker.put(
                "not soon",
                day,
                person,
                SUBJECTS[language],
                letter_of(words, language, person[0]),
                quoted=SOON[language][0] if number % 2 else "",
            )
        person, words = people[0], letter_of(SOON[language][0], language, people[0][0])
        maker.put("soon, three days ago", 9, person, SUBJECTS[language], words, written=6)
        maker.put(
            "soon, to a list",
            10,
            person,
            SUBJECTS[language],
            words,
            to=("Garden", "garden@lists.example"),
            List_Id="<garden.lists.example>",
            List_Post="<mailto:garden@lists.example>",
        )
        maker.put(
            "asks and soon",
            11,
            person,
            SUBJECTS[language],
            letter_of(f"{ASKS[language][0]} {SOON[language][0]}", language, person[0]),
            facts="question today",
        )


def own_mail(maker: Maker) -> None:
    """Own mail that asks: unanswered, answered, and answered by a machine alone."""
    for language, people in PEOPLE.items():
        for number, person in enumerate(people):
            words = letter_of(ASKS[language][number], language, ME[0])
            subject = f"{SUBJECTS[language]}: {number}"
            sent = maker.put("own, never answered", 6, ME, subject, words, to=person, folder="Sent", facts="unanswered")
            if number == 0:
                away = OUT_OF_OFFICE[language][0].format(later=day_said(20, language))
                maker.put(
                    "out of office",
                    6.1,
                    person,
                    f"Re: {subject}",
                    away,
                    answers=sent,
                    Auto_Submitted="auto-replied",
                    Precedence="bulk",
                )
            sent = maker.put("own, answered", 7, ME, f"{subject} b", words, to=person, folder="Sent")
            maker.put(
                "the answer",
                8.4,
                person,
                f"Re: {subject} b",
                letter_of(TELLS[language][1], language, person[0]),
                answers=sent,
                quoted=ASKS[language][number],
            )
            maker.put(
                "own, asks nothing",
                8,
                ME,
                f"{subject} c",
                letter_of(TELLS[language][1], language, ME[0]),
                to=person,
                folder="Sent",
                quoted=ASKS[language][0],
            )
        maker.put(
            "own, to a list",
            8,
            ME,
            SUBJECTS[language],
            ASKS[language][0],
            to=("Garden", "garden@lists.example"),
            folder="Sent",
            List_Post="<mailto:garden@lists.example>",
            List_Id="<garden.lists.example>",
        )
        maker.put(
            "own, to a machine",
            8,
            ME,
            SUBJECTS[language],
            ASKS[language][0],
            to=("", "no-reply@shop.example"),
            folder="Sent",
        )


def sellers(maker: Maker) -> None:
    """Mail that sells, with a list's headers and without; most of it is from somebody new."""
    for language, offers in OFFERS.items():
        for number, words in enumerate(offers):
            address = f"hello@deals{number}{language}.example"
            maker.put(
                "newsletter",
                2 + number,
                ("Deals", address),
                words.partition(".")[0],
                f"Hi Alex,\n\n{words}",
                List_Unsubscribe="<https://deals.example/u>",
                Precedence="bulk",
            )
            maker.put(
                "seller without a list",
                3 + number,
                (f"Kim Hart{number}", f"kim@leads{number}{language}.example"),
                words.partition(".")[0],
                f"Hi Alex,\n\n{words}",
                signs="first",
                auth=maker.one(NONE, ""),
            )
            maker.put(
                "seller who is nobody",
                4 + number,
                ("Prize", f"x{number}@lucky{language}.example"),
                "Prize",
                words,
                signs="first failed",
                auth=FAIL,
            )
            maker.put(
                "seller in the junk",
                5 + number,
                ("Prize", f"y{number}@lucky{language}.example"),
                "Prize",
                words,
                folder="Junk",
                auth=FAIL,
            )


def impostors(maker: Maker) -> None:
    """Who poses as somebody known. The first four look alike; the next take the name; the last answer elsewhere."""
    known = [person for people in PEOPLE.values() for person in people]
    alike = [
        "dana@f1rm.example",
        "jm@moel1er.example",
        "elodie@ate1ier.example",
        "lucia@tallerr.example",
        "priya@studi0.example",
        "katrin.vogel@amt.examp1e",
        "dana@fіrm.example",
        "tom.okaf0r@builders.example",
    ]
    names = {address: name for name, address in known}
    owners = [
        "dana@firm.example",
        "jm@moeller.example",
        "elodie@atelier.example",
        "lucia@taller.example",
        "priya@studio.example",
        "katrin.vogel@amt.example",
        "dana@firm.example",
        "tom.okafor@builders.example",
    ]
    for number, (address, owner) in enumerate(zip(alike, owners, strict=True)):
        wire = address.partition("@")[0] + "@" + address.partition("@")[2].encode("idna").decode()
        maker.put(
            "look-alike",
            13 + number / 4,
            (names[owner], wire),
            "New bank details",
            "Hi Alex,\n\nplease use the new account from now on.\n",
            signs="first alike name",
        )
    for number, (name, _) in enumerate(known):
        maker.put(
            "a known name, another address",
            14 + number / 8,
            (name, f"office{number}@mailbox{number}.example"),
            "Quick favour",
            "Hi Alex,\n\nI am in a meeting, please buy some gift cards.\n",
            signs="first name",
        )
    for number, (name, address) in enumerate(known[:6]):
        maker.put(
            "forged sender",
            15 + number / 8,
            (name, address),
            "Invoice",
            "Hi Alex,\n\nthe invoice is attached.\n",
            auth=FAIL,
            signs="failed reply_to",
            Reply_To=f"desk{number}@payments.example",
        )
    for number, (name, address) in enumerate(known[3:7]):
        domain = address.rpartition("@")[2]
        maker.put(
            "answers go to a colleague",
            16 + number / 8,
            (name, address),
            "Invoice",
            "Hi Alex,\n\nthe invoice is attached.\n",
            Reply_To=f"Office <office@{domain}>",
        )
    # two people of one first name, and a domain that is only a neighbour, are nobody's double
    for number, (name, address) in enumerate(
        [
            ("Dana Kowalski", "dana@kowalski.example"),
            ("Tom", "tom@farm.example"),
            ("Lucía Prado", "lucia@prado.example"),
            ("Hugo", "hugo@abri.example"),
            ("Jürgen Meyer", "jm@meyer.example"),
        ]
    ):
        maker.put(
            "somebody else",
            16.5 + number / 8,
            (name, address),
            "Hello",
            "Hi Alex,\n\nnice to meet you.\n",
            signs="first",
        )
