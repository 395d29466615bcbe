"""The fact ``alert``: a service warns of the user's account, card or bill, and the mail server has verified the sender.

Only the subject is read: a service puts there what has happened, and its advice and advertising into the text.
"""

from __future__ import annotations

import re
from typing import Final

from pepper_tui.domains.mail.facts.looked import Found, Looked
from pepper_tui.text import one_line

_SECURITY: Final = re.compile(
    r"\b(?:new|unusual|suspicious|unrecogni[sz]ed) (?:sign[- ]?in|log[- ]?in|device|activity|transaction|charge)\b"
    r"|\b(?:sign[- ]?in|log[- ]?in)(?: attempt)? (?:from|blocked|prevented)\b|\bsecurity (?:alert|warning)\b"
    r"|\b(?:password|e-?mail address|phone number|passkey|two-factor\w*) (?:was|has been)"
    r" (?:changed|reset|removed|added)\b"
    r"|\bneue anmeldung\b|\bsicherheits(?:warnung|hinweis|meldung)\b|\b(?:ungewöhnliche|verdächtige) \w+"
    r"|\b(?:passwort|kennwort|e-?mail-adresse)\b.{0,20}\b(?:geändert|zurückgesetzt)"
    r"|\bnouvelle connexion\b|\balerte de sécurité\b|\bactivité (?:inhabituelle|suspecte)"
    r"|\bmot de passe\b.{0,30}\b(?:modifié|changé|réinitialisé)"
    r"|\bnuevo inicio de sesión\b|\balerta de seguridad\b|\bactividad (?:inusual|sospechosa)\b"
    r"|\bcontraseña\b.{0,30}\b(?:cambiada|restablecida|modificada)\b",
    re.IGNORECASE,
)
_MONEY: Final = re.compile(
    r"\b(?:invoice|bill|payment|account|rent)\b.{0,20}\b(?:overdue|past due)\b"
    r"|\b(?:overdue|past due) (?:invoice|bill|payment)\b"
    r"|\b(?:final|payment) (?:reminder|notice)\b"
    r"|\bmahnung\b|\brechnung\b.{0,30}\b(?:überfällig|offen|fällig)\b|\bzahlungserinnerung\b"
    r"|\bfacture\b.{0,30}\b(?:en retard|impayée)|\b(?:relance|rappel) de paiement\b"
    r"|\bfactura\b.{0,30}\b(?:vencida|impagada|pendiente)\b|\brecordatorio de pago\b",
    re.IGNORECASE,
)
_ADVICE: Final = re.compile(
    r"\b(?:how to|tips?|newsletter|webinar|so schützen|tipps|comment (?:protéger|changer)|conseils|cómo|consejos)\b",
    re.IGNORECASE,
)


def alert(mail: Looked) -> Found | None:
    subject = mail.subject[:300]
    if not mail.authentic or mail.known or mail.facts.is_list or mail.raw["in_reply_to"] or _ADVICE.search(subject):
        return None
    what = "a security alert" if _SECURITY.search(subject) else "a payment alert" if _MONEY.search(subject) else ""
    domain = str(mail.raw["sender"]["address"]).rpartition("@")[2]
    return (
        Found("alert", f"{what} that is really from {one_line(domain, 60)}", one_line(subject, 300)) if what else None
    )
