"""The sample mail as data: who writes to Alex Rivera, what the mailbox already holds, and what arrives.

All addresses are in ``.example`` domains, which never resolve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OWNER_NAME: Final = "Alex Rivera"
OWNER: Final = "alex@northlight.example"


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. ``at``: seconds from the demo's start; negative for mail that was there before.

    ``key`` names it, so that a later mail's ``answers`` can join its thread. ``mailing_list`` makes it list mail.
    ``html`` adds an HTML part beside the text.
    """

    at: float
    sender: str
    subject: str
    body: str
    key: str = ""
    answers: str = ""
    to: str = f"{OWNER_NAME} <{OWNER}>"
    cc: str = ""
    mailing_list: str = ""
    html: str = ""
    folder: str = ""
    attachment: str = ""


ME: Final = f"{OWNER_NAME} <{OWNER}>"
NORA: Final = "Nora Lindqvist <nora@northlight.example>"
SAM: Final = "Sam Okafor <sam@northlight.example>"
PRIYA: Final = "Priya Raman <priya@northlight.example>"
JONAS: Final = "Jonas Weber <jonas@weber-print.example>"
INES: Final = "Inês Marchetti <ines@casa-do-rio.example>"
HALE: Final = "Meredith Hale <m.hale@hale-legal.example>"
MUM: Final = "Carmen Rivera <carmen.rivera@family.example>"
TOMAS: Final = "Tomás Rivera <tomas@family.example>"
LENA: Final = "Lena Fischer <lena@fischer-bikes.example>"
DENTIST: Final = "Dr. Aoki's practice <reception@aoki-dental.example>"
PARCEL: Final = "Swift Parcel <tracking@swiftparcel.example>"
BANK: Final = "Harbour Bank <no-reply@harbourbank.example>"
WEEKLY: Final = "The Weekly Byte <hello@weeklybyte.example>"
CODE: Final = "northlight/atlas <notifications@codehost.example>"
TEAM: Final = "Northlight team <team@northlight.example>"
LANDLORD: Final = "Victor Petrov <victor@petrov-homes.example>"
GYM: Final = "Boulder Hall <news@boulderhall.example>"

DAY: Final = 86400.0
HOUR: Final = 3600.0

BEFORE: Final[tuple[Letter, ...]] = (
    Letter(
        -21 * DAY,
        NORA,
        "Q4 planning: first thoughts",
        "Alex,\n\nlet's aim for three bets, not seven. Can you draft the first one?\n\nNora",
        key="q4",
    ),
    Letter(
        -20.8 * DAY,
        ME,
        "Re: Q4 planning: first thoughts",
        "Nora,\n\nyes. Draft by Thursday.\n\nAlex",
        key="q4b",
        answers="q4",
        to=NORA,
        folder="Sent",
    ),
    Letter(-20 * DAY, NORA, "Re: Q4 planning: first thoughts", "Good. Keep it to one page.\n\nNora", answers="q4b"),
    Letter(
        -19 * DAY, MUM, "Sunday lunch", "Mijo, lunch on Sunday at one? Tomás is bringing the kids.\n\nMum", key="lunch"
    ),
    Letter(
        -18.9 * DAY,
        ME,
        "Re: Sunday lunch",
        "We'll be there, I bring dessert.\n\nAlex",
        key="lunch2",
        answers="lunch",
        to=MUM,
        folder="Sent",
    ),
    Letter(-18.7 * DAY, MUM, "Re: Sunday lunch", "The lemon one please!\n", answers="lunch2"),
    Letter(
        -18 * DAY,
        WEEKLY,
        "The Weekly Byte #211: small databases, big ideas",
        "This week: why embedded databases are back, and a story about a lost index.\n",
        mailing_list="weeklybyte.example",
    ),
    Letter(
        -17 * DAY,
        JONAS,
        "Proofs for the brochure",
        "Hello Alex,\n\nproofs attached. Please check page 3, the blue came out dark.\n\nRegards\nJonas",
        key="proofs",
        attachment="brochure-proof.pdf",
    ),
    Letter(
        -16.5 * DAY,
        ME,
        "Re: Proofs for the brochure",
        "Jonas,\n\npage 3 is fine, page 5 has an old logo.\n\nAlex",
        key="proofs2",
        answers="proofs",
        to=JONAS,
        folder="Sent",
    ),
    Letter(
        -16 * DAY, JONAS, "Re: Proofs for the brochure", "Fixed. Goes to print tomorrow.\n\nJonas", answers="proofs2"
    ),
    Letter(-15 * DAY, BANK, "Your statement is ready", "Your monthly statement is ready in online banking.\n"),
    Letter(
        -14.5 * DAY,
        CODE,
        "[northlight/atlas] Importer drops the last row (#482)",
        "The importer drops the last "
        "row where the file has no newline at its end.\n\n--\nReply to comment on this issue.",
        key="i482",
        mailing_list="atlas.codehost.example",
    ),
    Letter(
        -14.3 * DAY,
        CODE,
        "Re: [northlight/atlas] Importer drops the last row (#482)",
        "Reproduced. I take it.\n",
        answers="i482",
        mailing_list="atlas.codehost.example",
    ),
    Letter(
        -14 * DAY, SAM, "Interview loop on Tuesday", "Can you take the system design slot, 14:00?\n\nSam", key="loop"
    ),
    Letter(
        -13.9 * DAY, ME, "Re: Interview loop on Tuesday", "Yes.\n", key="loop2", answers="loop", to=SAM, folder="Sent"
    ),
    Letter(-13.8 * DAY, SAM, "Re: Interview loop on Tuesday", "Great, the CV is in the folder.\n", answers="loop2"),
    Letter(
        -13 * DAY,
        LENA,
        "Your bike is ready",
        "Hi Alex,\n\nnew chain and brake pads are on. 84 euros. We're open till six.\n\nLena",
        key="bike",
    ),
    Letter(
        -12 * DAY,
        GYM,
        "New routes this weekend",
        "Sector B has been reset. See you on the wall!\n",
        mailing_list="boulderhall.example",
    ),
    Letter(
        -11.5 * DAY,
        LANDLORD,
        "Heating inspection",
        "Dear Alex,\n\nthe heating will be inspected on the 28th "
        "between 9 and 11. Please be at home or leave a key.\n\nV. Petrov",
        key="heating",
    ),
    Letter(
        -11 * DAY,
        ME,
        "Re: Heating inspection",
        "Dear Mr Petrov,\n\nI'll be at home.\n\nAlex Rivera",
        answers="heating",
        to=LANDLORD,
        folder="Sent",
    ),
    Letter(
        -11 * DAY,
        WEEKLY,
        "The Weekly Byte #212: queues everywhere",
        "This week: three ways to lose a message, and one not to.\n",
        mailing_list="weeklybyte.example",
        html="<html><body><h1>The Weekly Byte</h1><p>This week: three ways to lose a message, and one not "
        "to.</p></body></html>",
    ),
    Letter(
        -10 * DAY,
        PRIYA,
        "Atlas: pricing page numbers",
        "Conversion went from 2.1 to 2.6 % after the change. Chart in the deck.\n\nPriya",
        key="pricing",
    ),
    Letter(
        -9.9 * DAY,
        NORA,
        "Re: Atlas: pricing page numbers",
        "Very nice. Keep it running two more weeks.\n\nNora",
        answers="pricing",
        to=PRIYA,
        cc=ME,
    ),
    Letter(
        -9 * DAY,
        DENTIST,
        "Your appointment",
        "We confirm your appointment for a check-up. Please call us if you can't make it.\n",
    ),
    Letter(
        -8.5 * DAY,
        TOMAS,
        "Photos from Sunday",
        "Here are the photos. Look at number four :)\n\nT.",
        key="photos",
        attachment="sunday.jpg",
    ),
    Letter(-8 * DAY, ME, "Re: Photos from Sunday", "Framed already.\n", answers="photos", to=TOMAS, folder="Sent"),
    Letter(
        -7.5 * DAY,
        HALE,
        "Engagement letter",
        "Dear Mr Rivera,\n\nplease find our engagement letter attached.\n\nKind regards\nMeredith Hale",
        key="engage",
        attachment="engagement-letter.pdf",
    ),
    Letter(
        -7 * DAY,
        ME,
        "Re: Engagement letter",
        "Dear Ms Hale,\n\nsigned and returned.\n\nAlex Rivera",
        answers="engage",
        to=HALE,
        folder="Sent",
    ),
    Letter(
        -6.5 * DAY,
        BANK,
        "A new device signed in",
        "A new device signed in to your account. If this was you, there is nothing to do.\n",
    ),
    Letter(-6 * DAY, SAM, "Offer accepted!", "Rosa said yes. She starts on the first.\n\nSam"),
    Letter(
        -5 * DAY,
        INES,
        "Offsite in Porto: your request",
        "Olá Alex,\n\nthank you for your request: twelve people, "
        "three nights. I check with the house and write again.\n\nInês",
        key="porto0",
    ),
    Letter(
        -4.5 * DAY,
        ME,
        "Re: Offsite in Porto: your request",
        "Thank you, Inês. A room with a projector would be good.\n\nAlex",
        answers="porto0",
        to=INES,
        folder="Sent",
    ),
    Letter(
        -4 * DAY,
        WEEKLY,
        "The Weekly Byte #213: terminals are not dead",
        "This week: a love letter to the grid of characters.\n",
        mailing_list="weeklybyte.example",
    ),
    Letter(
        -3.5 * DAY,
        CODE,
        "[northlight/atlas] Release 4.2 checklist (#497)",
        "- [x] changelog\n- [ ] migration notes\n- [ ] announce\n",
        key="i497",
        mailing_list="atlas.codehost.example",
    ),
    Letter(
        -3 * DAY,
        PRIYA,
        "Roadmap review: what I bring",
        "I'll show the churn numbers and two options for onboarding. Ten minutes.\n\nPriya",
        key="roadmap",
        cc=SAM,
    ),
    Letter(
        -2.5 * DAY,
        SAM,
        "Re: Roadmap review: what I bring",
        "I bring the hiring plan. Five minutes.\n\nSam",
        answers="roadmap",
        to=PRIYA,
        cc=ME,
    ),
    Letter(
        -2 * DAY,
        NORA,
        "Board meeting moved up",
        "The board meets a week earlier than planned. We need the deck by Friday.\n\nNora",
        key="board",
    ),
    Letter(
        -1.5 * DAY,
        ME,
        "Re: Board meeting moved up",
        "Understood. First version tomorrow evening.\n\nAlex",
        key="board2",
        answers="board",
        to=NORA,
        folder="Sent",
    ),
    Letter(-1 * DAY, NORA, "Re: Board meeting moved up", "Thank you.\n\nNora", key="board3", answers="board2"),
    Letter(-6 * HOUR, LENA, "Spring service offer", "Book your spring service before the end of the month.\n\nLena"),
    Letter(
        -3 * HOUR,
        JONAS,
        "Invoice 1184",
        "Hello Alex,\n\nthe invoice for the brochure is attached, due in 14 days.\n\nJonas",
        attachment="invoice-1184.pdf",
    ),
    Letter(-1 * HOUR, MUM, "Call me when you can", "Nothing urgent. It is about the garden.\n\nMum"),
)

ARRIVING: Final[tuple[Letter, ...]] = (
    Letter(
        3,
        NORA,
        "Board deck: two numbers before three o'clock",
        "Alex,\n\nrevenue on slide 4 and churn on slide 9 "
        "do not match the sheet. Can you check both before three? The board gets the deck right after.\n\nNora",
        key="deck",
    ),
    Letter(
        7,
        PARCEL,
        "Your parcel comes today",
        "Your parcel from Alpine Outfitters is on its way. Somebody should be at home to sign for it.\n",
    ),
    Letter(
        12,
        "Dana Whitfield <dana@whitfield-labs.example>",
        "Question about quote 2207",
        "Hi Alex,\n\nthe quote says "
        "25 seats. Could we start with 15 and add ten in spring at the same price?\n\nBest\nDana",
        key="quote",
    ),
    Letter(
        17,
        INES,
        "Offsite in Porto: rooms on hold",
        "Olá Alex,\n\nthe house holds twelve rooms and the room with "
        "the projector for you. I wait for the owner's word on the deposit and write again shortly.\n\nInês",
        key="porto",
    ),
    Letter(
        21,
        HALE,
        "Supplier contract: redlines",
        "Dear Mr Rivera,\n\nmy redlines are attached. The other side "
        "promised an answer on clause 7; I forward it when it is here.\n\nMeredith Hale",
        key="contract",
        attachment="contract-redlines.docx",
    ),
    Letter(
        26,
        WEEKLY,
        "The Weekly Byte #214: exactly once, honestly",
        "This week: what a lost reply teaches.\n",
        mailing_list="weeklybyte.example",
        html="<html><body><h1>The Weekly Byte</h1><p>This week: what a lost reply teaches.</p></body></html>",
    ),
    Letter(
        31,
        SAM,
        "Rosa's first day",
        "Can you have lunch with Rosa on the first? I booked nothing yet.\n\nSam",
        key="rosa",
    ),
    Letter(
        36,
        INES,
        "Re: Offsite in Porto: rooms on hold",
        "Olá Alex,\n\nthe owner agrees: 20 % deposit, free to "
        "cancel until two weeks before. Shall I send the agreement?\n\nInês",
        key="porto2",
        answers="porto",
    ),
    Letter(
        47,
        CODE,
        "Re: [northlight/atlas] Release 4.2 checklist (#497)",
        "Migration notes are written, please review.\n",
        mailing_list="atlas.codehost.example",
    ),
    Letter(53, TOMAS, "Mum's birthday", "Shall we give her the greenhouse together? I can drive on Saturday.\n\nT."),
    Letter(
        60,
        PRIYA,
        "Slides for the roadmap review",
        "My three slides are attached. Slide 2 is the one to discuss.\n\nPriya",
        attachment="onboarding-options.pdf",
    ),
    Letter(67, BANK, "Card payment of 84.00", "A card payment of 84.00 to Fischer Bikes was booked.\n"),
    Letter(
        75,
        NORA,
        "Re: Board deck: two numbers before three o'clock",
        "PS: slide 9 again, the label says Q2.\n\nNora",
        answers="deck",
    ),
)
"""In the order of arrival. The calendar changes in between, see ``writer``."""

LATER_SENDERS: Final = (SAM, PRIYA, JONAS, LENA, TOMAS, MUM, CODE, WEEKLY, GYM, BANK, LANDLORD)
LATER_SUBJECTS: Final = (
    ("Notes from this morning", "Short notes are in the folder, have a look when you find time."),
    ("Thursday", "Does Thursday still work for you?"),
    ("A small correction", "The number in my last mail was wrong by one. Sorry."),
    ("Link you asked for", "I put the link into the shared page."),
    ("News from us", "Three things that changed this week."),
    ("Thank you", "That helped a lot."),
    ("Opening hours", "We are open till six on weekdays, and till two on Saturdays."),
    ("Status", "All is on track, one thing waits for the supplier."),
)
"""What keeps arriving, in new combinations, after the last of ``ARRIVING``."""
