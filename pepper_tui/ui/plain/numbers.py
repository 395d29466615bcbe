"""The numbers of things: given at the first mention, and kept. A matter has one number, whatever its card holds."""

from __future__ import annotations


class Numbers:
    """Number ↔ ref (``approval:<id>``, ``call:<id>`` …)."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._refs: list[str] = []
        self.told: dict[str, set[str]] = {}
        """What was printed of each item: key → the refs of its draft and its notifications."""

    def of(self, ref: str) -> int:
        """Return the number of ``ref``."""
        if ref not in self._numbers:
            self._refs.append(ref)
            self._numbers[ref] = len(self._refs)
        return self._numbers[ref]

    def tell(self, key: str, *refs: str) -> int:
        """Return the number of an inbox item; its ``refs`` are printed now."""
        self.told.setdefault(key, set()).update(refs)
        return self.of(key)

    def ref(self, number: str) -> str:
        """Return the ref of ``number``. Raises ``ValueError`` with words."""
        if not number.isdecimal() or not 0 < int(number) <= len(self._refs):
            raise ValueError(f"{number or 'nothing'} is no number of mine; /inbox says the numbers of what waits")
        return self._refs[int(number) - 1]
