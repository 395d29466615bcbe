"""A box of mail as a person has it: threads, lists, other scripts, a doubtful sender, files."""

from __future__ import annotations

from tests.ui.fake_mail import OWN, T0, FakeMail, mail, state

HOUR, DAY = 3600.0, 86_400.0
LONG = """Hi Sam,

the landlord has answered: 1,240 a month from January, heating included. I think that is fair, but I would like to hear
what you think before I say yes. The contract is attached: https://example.com/contract?id=42

Could you look at section 4 by Friday?

Alice

On Thu, 14 Jan 2027 at 09:12, Sam wrote:
> Hello Alice,
>
> did you hear from the landlord?
> I would rather not pay more than 1,300.
>
> Sam
"""


def full_box(box: FakeMail) -> None:
    """Put a few threads in."""
    box.put(
        mail("r1", "Rent", "Did the landlord say what the flat is to cost?", at=T0 - 3 * DAY, thread="<rent@x>"),
        mail("r2", "Re: Rent", "Not yet, I will ask.\n\n> Did the landlord say", at=T0 - 2 * DAY, thread="<rent@x>",
             name="Sam", address=OWN),
        mail("r3", "Re: Rent", LONG, at=T0 - 2 * HOUR, thread="<rent@x>",
             reply="the landlord has answered: 1,240 a month from January, heating included.",
             attachments=[{"name": "contract.pdf", "type": "application/pdf", "size": 84_213}]),
        mail("d1", "Your parcel is waiting", "Pay 2.99 now: http://parcel.example.net", at=T0 - 5 * HOUR,
             name="Parcel Service", address="x7@mail.example.net",
             doubts=["its name is that of another sender", "the mail asks for answers to another address"]),
        mail("j1", "来週の会議について", "田中です。来週の会議は火曜日の午後三時からです。", at=T0 - 8 * HOUR,
             name="田中 太郎", address="tanaka@example.jp"),
        mail("e1", "🎉 Party 🎂 on Saturday", "Bring cake! 👩‍👩‍👧 are welcome, too.", at=T0 - DAY, name="Zoë Müller",
             address="zoe@example.org"),
        mail("l1", "[devel] Release 2.4 is out", "We are happy to announce release 2.4.", at=T0 - 26 * HOUR,
             name="Kim Lee", address="kim@lists.example.org", label="Lists/devel",
             list_headers={"list-id": "<devel.example.org>", "list-post": "<mailto:devel@example.org>"}),
        mail("o1", "Invoice 2026-118", "Please find the invoice attached.", at=T0 - 40 * DAY, name="Marta Ruiz",
             address="marta@example.com", account="home",
             attachments=[{"name": "invoice.pdf", "type": "application/pdf", "size": 1_204_000}]),
    )  # fmt: skip
    for number in range(40):
        who = ("Bob Stone", "Dana Fox", "Priya Rao", "Jo Berg")[number % 4]
        address = f"{who.split()[0].lower()}@example.com"
        at = T0 - (3 + number * 7) * DAY
        box.put(mail(f"n{number}", f"Notes of week {40 - number}", "Here are the notes.", at=at,
                     name=who, address=address))  # fmt: skip
    seen = [f"n{number}" for number in range(40)]
    box.mark(*(state(ident, "seen") for ident in (*seen, "r1", "l1")), state("r2", "seen", folder="Sent", use="sent"))
    box.mark(state("r3"), state("d1"), state("j1", "flagged"), state("e1", "seen", "answered"))
    box.mark(state("o1", "seen", "flagged", account="home"))
