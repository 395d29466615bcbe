"""The fact ``review``: a forge says that somebody wants a review of the user, names or assigns them.

GitHub and GitLab say why they write in a header. Gitea and Forgejo only say there what it is about (an issue, a pull
request), and begin the text with the reason. A mail whose sender the receiving server knows to be forged says nothing.
"""

from __future__ import annotations

import re
from typing import Final

from pepper_tui.domains.mail.facts.looked import Found, Looked
from pepper_tui.text import one_line

_REASONS: Final = {
    "review_requested": "asks for your review",
    "mention": "mentions you",
    "mentioned": "mentions you",
    "assign": "has assigned it to you",
    "assigned": "has assigned it to you",
}
_HEADERS: Final = {
    "x-github-reason": "GitHub",
    "x-gitlab-notificationreason": "GitLab",
    "x-gitea-reason": "Gitea",
    "x-forgejo-reason": "Forgejo",
}
_IN_TEXT: Final = re.compile(r"@\S{1,80} (?P<why>mentioned you|assigned you|requested your review)\b", re.IGNORECASE)
_WHY: Final = {
    "mentioned you": "mentions you",
    "assigned you": "has assigned it to you",
    "requested your review": "asks for your review",
}


def review(mail: Looked) -> Found | None:
    headers = mail.raw["list_headers"]
    if mail.authentic is False or not _HEADERS.keys() & headers.keys():
        return None
    said, why = "", ""
    if {"x-gitea-reason", "x-forgejo-reason"} & headers.keys():  # these also send the headers of the others
        begins = _IN_TEXT.match(mail.text[:300].strip())
        why, said = (_WHY[begins["why"].lower()], mail.text[:300]) if begins else ("", "")
    for name in ("x-github-reason", "x-gitlab-notificationreason"):
        if not why and (given := _REASONS.get(str(headers.get(name, "")).strip().lower())):
            why, said = given, f"{name}: {headers[name]}"
    forge = next(words for name, words in reversed(_HEADERS.items()) if name in headers)
    return Found("review", f"{mail.who} {why} on {forge}", one_line(said, 300)) if why else None
