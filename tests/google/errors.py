"""Errors as Google words them: a status, a reason for programs, a message for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
DOMAINS = {
    "rateLimitExceeded": "usageLimits",
    "userRateLimitExceeded": "usageLimits",
    "deleted": "calendar",
    "fullSyncRequired": "calendar",
    "requiredAccessLevel": "calendar",
}


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, reason: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        detail = {"message": self.message, "domain": DOMAINS.get(self.reason, "global"), "reason": self.reason}
        error: dict[str, Any] = {"code": self.status, "message": self.message, "errors": [detail]}
        if self.status in STATUS_NAMES:
            error["status"] = STATUS_NAMES[self.status]
        return {"error": error}


class Violation(Refused):
    """A request that the discovery document does not allow: an error of the test as well."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "badRequest", message)


def not_found() -> Refused:
    return Refused(404, "notFound", "Requested entity was not found.")


def invalid(message: str) -> Refused:
    return Refused(400, "invalidArgument", message)


def too_fast(status: int, seconds: int) -> Refused:
    reason, message = (
        ("rateLimitExceeded", "Too many requests; slow down.")
        if status == 429
        else ("userRateLimitExceeded", "User Rate Limit Exceeded")
    )
    return Refused(status, reason, message, {"Retry-After": str(seconds)})


def unauthenticated() -> Refused:
    headers = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'}
    return Refused(401, "authError", "Request had invalid authentication credentials.", headers)


def scope_missing() -> Refused:
    headers = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"'}
    return Refused(403, "insufficientPermissions", "Request had insufficient authentication scopes.", headers)
