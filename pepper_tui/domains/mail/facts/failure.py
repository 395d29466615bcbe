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
    r"\b(?:run|build|pipeline|workflow|job|deploy(?:ment)?|tests?)s? (?:has |have |is |was )?"
    r"(?:failed|failing|broken|errored)\b"
    r"|\b(?:failed|broken) (?:build|pipeline|run|workflow|job|deploy(?:ment)?)\b",
    re.IGNORECASE,
)
_WELL: Final = re.compile(
    r"\b(?:back to normal|fixed|succeeded|successful|passed|cancell?ed|skipped|why|how|no(?= )|0 (?=failed|errors?))\b",
    re.IGNORECASE,
)
_PAYMENT: Final = re.compile(
    r"\b(?:payment|charge|transaction|direct debit)s?\b.{0,40}"
    r"\b(?:failed|declined|rejected|unsuccessful|could ?n['o]t|returned)\b"
    r"|\b(?:failed|declined) payment\b|\bcould(?:n['’]t| not) (?:process|collect|charge)\b.{0,40}\b(?:payment|card)\b"
    r"|\b(?:zahlung|lastschrift|abbuchung|überweisung)\b.{0,40}\b(?:fehlgeschlagen|abgelehnt|gescheitert|zurückgegeben"
    r"|nicht (?:eingelöst|ausgeführt|verarbeitet|möglich))"
    r"|\béchec\b.{0,20}\bpaiement\b|\b(?:paiement|prélèvement)\b.{0,40}\b(?:refusé|échoué|rejeté)"
    r"|\b(?:pago|cobro|recibo)\b.{0,40}\b(?:rechazado|fallido|devuelto)\b"
    r"|\bpodido (?:procesar|cobrar)\b.{0,20}\bpago\b",
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
