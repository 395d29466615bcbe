"""Names of time zones that a phrase may use. Short names that several countries use are left out."""

from __future__ import annotations

from typing import Final

ZONES: Final = {
    "utc": "UTC", "gmt": "Etc/GMT", "z": "UTC", "zulu": "UTC", "cet": "Europe/Berlin", "cest": "Europe/Berlin",
    "mez": "Europe/Berlin", "mesz": "Europe/Berlin", "est": "America/New_York", "edt": "America/New_York",
    "et": "America/New_York", "eastern": "America/New_York", "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles", "pt": "America/Los_Angeles", "pacific": "America/Los_Angeles",
    "ct": "America/Chicago", "cdt": "America/Chicago", "mdt": "America/Denver", "mt": "America/Denver",
    "jst": "Asia/Tokyo", "eet": "Europe/Athens", "eest": "Europe/Athens", "wet": "Europe/Lisbon",
    "aest": "Australia/Sydney", "aedt": "Australia/Sydney", "london time": "Europe/London",
    "berlin time": "Europe/Berlin", "new york time": "America/New_York", "tokyo time": "Asia/Tokyo",
}  # fmt: skip
