"""The fact ``alert``: a service warns of the user's account, card or bill, and the mail server has verified the sender.

Only the subject is read: a service puts there what has happened, and its advice and advertising into the text.
"""

from __future__ import annotations

import re
from typing import Final

from pepper_tui.domains.mail.facts.looked import Found, Looked
from pepper_tui.text import one_line

_SECURITY: Final = re.compile(
    r"\b(?:new|unusual|suspicious|unrecogni[sz]ed|unknown)"
    r" (?:sign[- ]?in|log[- ]?in|device|activity|transaction|charge)\b"
    r"(?! (?:page|screen|form|options?))"
    r"|\b(?:sign(?:ed)?[- ]?in|log(?:ged)?[- ]?in)(?: attempt)?\b.{0,12}\b(?:from|blocked|prevented|new device)\b"
    r"|\bsecurity (?:alert|warning|notice|incident)\b"
    r"|\b(?:account|password|e-?mail(?: address)?|phone(?: number)?|passkey|(?:two|2)-(?:step|factor) \w+"
    r"|(?:api |access )?key|token|pin|card)s? (?:was|were|has been|have been|is|are)"
    r" (?:changed|reset|removed|added|turned off|switched off"
    r"|disabled|accessed|locked|blocked|suspended|exposed|leaked|compromised|frozen)\b"
    r"|\b(?:purchase|withdrawal|charge|transaction)s? (?:of \S+ )?(?:on|with|from) your (?:card|account)\b"
    r"|\bneue[rs]? (?:anmeldung|gerät|login)\b|\banmeldung (?:von|auf|mit)\b|\bneuen gerät\b"
    r"|\bsicherheits(?:warnung|hinweis|meldung|vorfall)\b|\b(?:ungewöhnliche|verdächtige) \w+"
    r"|\b(?:konto|zugang|karte|passwort|kennwort|e-?mail-adresse|telefonnummer)\b.{0,24}"
    r"\b(?:geändert|zurückgesetzt|gesperrt|blockiert|deaktiviert|entfernt)"
    r"|\bnouvelle connexion\b|\bconnexion (?:inhabituelle|suspecte)|\bnouvel appareil\b"
    r"|\balerte de sécurité\b|\bactivité (?:inhabituelle|suspecte)"
    r"|\b(?:compte|carte|mot de passe|adresse e-?mail|accès)\b.{0,30}"
    r"\b(?:modifiée?|changée?|réinitialisée?|bloquée?|suspendue?|désactivée?)"
    r"|\bnuevo inicio de sesión\b|\b(?:nuevo dispositivo|dispositivo nuevo)\b|\balerta de seguridad\b"
    r"|\b(?:actividad|acceso) (?:inusual|sospechos[oa])\b|\b(?:cuenta|tarjeta|contraseña|correo|acceso)\b.{0,30}"
    r"\b(?:cambiad[oa]|restablecid[oa]|modificad[oa]|bloquead[oa]|suspendid[oa]|desactivad[oa])\b",
    re.IGNORECASE,
)
_MONEY: Final = re.compile(
    r"\b(?:invoice|bill|payment|account|rent)\b.{0,20}\b(?:overdue|past due)\b"
    r"|\b(?:overdue|past due|unpaid) (?:invoice|bill|payment|notice)\b"
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
