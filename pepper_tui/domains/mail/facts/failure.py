"""The fact ``failure``: a build failed, a payment failed, or a mail of the user's own did not arrive.

A report counts only for a mail that the user sent: others write under every address. A payment counts only if the
receiving server knows who wrote, as this is what phishing says most often.
"""

from __future__ import annotations

import re
from typing import Final

from pepper_tui.domains.mail.facts.delivery_report import not_arrived
from pepper_tui.domains.mail.facts.looked import Found, Looked
from pepper_tui.text import one_line

_BUILD: Final = re.compile(
    r"\b(?:run|build|ci|pipeline|workflow|jobs?|deploy(?:ment|s)?|tests?|checks?|backup|release)\b.{0,40}"
    r"\b(?:failed|failing|fails|failure|broken|errored)\b"
    r"|\b(?:failed|broken|failing) (?:build|pipeline|run|workflow|job|deploy(?:ment)?|tests?)\b"
    r"|\b(?:broken|failed): \S+/\S+",
    re.IGNORECASE,
)
_WELL: Final = re.compile(
    r"\b(?:back to normal|fixed|succeeded|successful|passed|cancell?ed|skipped|why|how|no(?= )|0 (?=failed|errors?))\b",
    re.IGNORECASE,
)
_PAYMENT: Final = re.compile(
    r"\b(?:payment|charge|transaction|direct debit|(?:credit |debit )?card)s?\b.{0,40}"
    r"\b(?:failed|declined|rejected|refused|unsuccessful|returned|not (?:go|gone) through|n['’]t go through)\b"
    r"|\b(?:failed|declined|rejected) payment\b|\b(?:problem|trouble|issue) (?:with|processing) (?:your|the) payment\b"
    r"|\bunable to (?:process|collect|charge|take)\b"
    r"|\bcould(?:n['’]t| not) (?:be )?(?:process\w*|collect\w*|charge\w*|take)\b"
    r"|\b(?:zahlung|lastschrift|abbuchung|überweisung|(?:kredit)?karte)\b.{0,40}"
    r"\b(?:fehlgeschlagen|abgelehnt|gescheitert|zurückgegeben"
    r"|nicht (?:eingelöst|ausgeführt|verarbeitet|abgebucht|möglich))"
    r"|\b(?:problem|schwierigkeiten) (?:mit|bei) ihrer zahlung\b"
    r"|\béchec\b.{0,20}\b(?:paiement|prélèvement)\b"
    r"|\b(?:paiement|prélèvement|carte)\b.{0,40}\b(?:refusée?|échoué|rejeté|pas (?:abouti|pu))"
    r"|\bproblème (?:avec|de) (?:votre )?paiement\b"
    r"|\b(?:pago|cobro|recibo|tarjeta)\b.{0,40}\b(?:rechazad[oa]|fallido|devuelto|no realizado|no se ha|ha fallado)\b"
    r"|\b(?:no (?:se )?|hemos )(?:pudo|podido|ha podido)\b.{0,30}\b(?:pago|cobro)\b|\bproblema con (?:tu|su|el) pago\b",
    re.IGNORECASE,
)
_ADVICE: Final = re.compile(
    r"\b(?:how|why|avoid|never|tips?|wie sie|vermeiden|comment|éviter|cómo|evitar)\b", re.IGNORECASE
)


def failure(mail: Looked) -> Found | None:
    return _bounce(mail) or _build(mail) or _payment(mail)


def _bounce(mail: Looked) -> Found | None:
    report = mail.raw.get("report") or {}
    if mail.sent is None or not (said := not_arrived(report)):
        return None
    about = one_line(str(mail.sent.get("subject") or report.get("subject") or ""), 120)
    named = f"your mail “{about}”" if about else "a mail of yours"
    line = f"Not delivered: {named} did not reach {said}"
    words = "; ".join(str(one.get("why") or one.get("status") or "") for one in report.get("recipients", []))
    return Found("failure", f"{named} did not arrive", one_line(words, 300), line, str(mail.sent.get("thread") or ""))


def _build(mail: Looked) -> Found | None:
    headers, subject = mail.raw["list_headers"], mail.subject
    if mail.authentic is False:
        return None
    status = str(headers.get("x-gitlab-pipeline-status", "")).lower()
    told = headers.get("x-github-reason") == "ci_activity" or bool(status) or mail.facts.automatic
    if mail.facts.is_list and not ("x-github-reason" in headers or status):
        told = False
    if status == "failed" or (told and not status and _BUILD.search(subject) and not _WELL.search(subject)):
        return Found("failure", "a build failed", one_line(subject, 300))
    return None


def _payment(mail: Looked) -> Found | None:
    subject = mail.subject[:300]
    if mail.authentic and _PAYMENT.search(subject) and not _ADVICE.search(subject) and _by_a_service(mail):
        return Found("failure", f"a payment failed, as {mail.who} says", one_line(subject, 300))
    return None


def _by_a_service(mail: Looked) -> bool:
    """Check whether it is a new mail to the user, not an answer, nor one of a list that sells."""
    return not mail.raw["in_reply_to"] and not mail.known and not mail.facts.is_list
