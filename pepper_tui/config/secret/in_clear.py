"""Places where a secret must not be seen: on the network in clear text, and in a printed config.

One rule covers every connection that carries a secret: encrypted, or within this machine. Another covers what is shown:
only text that can't be a secret; the rest of a command, an address or a variable is left out.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit

from pepper_tui.config.secret.names import parameter_holds_secret

HIDDEN: Final = "(hidden)"
REFERENCE: Final = re.compile(r"(?:env|secret):[A-Za-z_][A-Za-z0-9_.-]*")
_FLAG: Final = re.compile(r"-[A-Za-z]|--[a-z]+(?:-[a-z]+)*")
_PLAIN: Final = re.compile(r"v\d{1,2}(?:beta|alpha)?|[a-z]{1,15}(?:[-_.][a-z]{1,15}){0,2}")
_PACKAGE: Final = re.compile(r"(?:@[a-z]{1,40}/)?[a-z]{1,40}(?:[-.][a-z]{1,40}){0,5}")
_SCRIPT: Final = re.compile(r"[~./].*/([a-z_-]{1,40}\.(?:py|mjs|js|sh|rb))")
_BEFORE: Final = re.compile(r"(?i)(?:bearer|basic|token) ")


def is_this_machine(host: str) -> bool:
    """Check whether ``host`` is a name or address of the loopback device."""
    name = host.strip().strip("[]").rstrip(".").casefold()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def is_near(url: str) -> bool:
    """Check whether the host of ``url`` is this machine, or by its address or name on the same network."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return False
    if (
        is_this_machine(host)
        or host.endswith((".local", ".lan", ".home", ".internal"))
        or (host and not set(".:") & set(host))
    ):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_private
    except ValueError:
        return False


def in_clear(url: str) -> str:
    """Return the host that would receive requests to ``url`` unencrypted; empty if they are encrypted or stay here."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
    except ValueError:
        return url
    if not url.strip() or parts.scheme.casefold() in ("https", "wss") or is_this_machine(host):
        return ""
    return host or url


def secret_in_url(url: str) -> str:
    """Describe the literal secret that ``url`` holds; an empty string if it holds none."""
    try:
        parts = urlsplit(url)
        userinfo = "@" in parts.netloc
    except ValueError:
        return "it is not a URL"
    if userinfo:
        return "a password"
    for part in re.split(r"[&;]", parts.query):
        name, _, value = part.partition("=")
        if parameter_holds_secret(name) and not REFERENCE.fullmatch(value):
            return "a secret"
    return ""


def told_url(url: str) -> str:
    """Return ``url`` for display: its host and the plain words of its path; the rest may be a secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    path = "/".join(each if not each or _is_told(each) else "…" for each in parts.path.split("/"))
    query = "?…" if parts.query or parts.fragment else ""
    if parts.query and all(REFERENCE.fullmatch(each.partition("=")[2]) for each in parts.query.split("&")):
        query = f"?{parts.query}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{path}{query}"


def _is_told(word: str) -> bool:
    return bool(_PLAIN.fullmatch(word) or REFERENCE.fullmatch(word))


def told_command(command: Sequence[str]) -> str:
    """Return a program and its arguments for display: flags, and the name of a script or package.

    Anything else may be a secret. A name counts only as the first non-flag: a plain word after it may be a password.
    """
    told = list(command[:1])
    named = False
    for before, each in pairwise(command):
        if _FLAG.fullmatch(each):
            told.append(each)
        elif _PACKAGE.fullmatch(each) and not named and not before.startswith("-"):
            told.append(each)
            named = True
        elif _is_reference(each):
            told.append(each)
        else:
            named = named or not before.startswith("-")
            script = _SCRIPT.fullmatch(each)
            told.append(f"…/{script[1]}" if script else "…")
    return " ".join(told)


def _is_reference(argument: str) -> bool:
    flag, _, name = argument.rpartition("=")
    return bool(REFERENCE.fullmatch(name)) and (not flag or bool(_FLAG.fullmatch(flag)))


def told_value(value: str) -> str:
    """Return the value of a variable or header for display: shown only if it names a secret and holds none."""
    if not value or REFERENCE.fullmatch(_BEFORE.sub("", value, count=1)):
        return value
    return HIDDEN
