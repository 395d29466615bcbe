"""Finds the rules that a person's words mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pepper_tui.model import Rule


def meant(rules: Sequence[Rule], words: str) -> list[Rule]:
    """Return the rules that ``words`` may mean, by the first way that finds any.

    The ways are the id or the whole name, part of the name, and a word, sender or thread that a rule looks for.
    Singular and plural count as the same.
    """
    wanted = " ".join(words.casefold().split())
    if not wanted:
        return []
    forms = {wanted, wanted.removesuffix("s"), f"{wanted}s"}
    ways: tuple[Callable[[Rule], bool], ...] = (
        lambda rule: wanted in (rule.id, rule.name.casefold()),
        lambda rule: bool(forms & {rule.id, rule.name.casefold()}),
        lambda rule: f" {wanted} " in f" {rule.name.casefold()} ",
        lambda rule: wanted in rule.name.casefold(),
        lambda rule: bool(forms & {one.casefold() for one in (*rule.words, rule.thread)}),
        lambda rule: any(_is_of(wanted, sender.casefold()) for sender in rule.sender),
    )
    for way in ways:
        if found := [rule for rule in rules if way(rule)]:
            return found
    return []


def _is_of(wanted: str, sender: str) -> bool:
    """Check whether ``wanted`` is an address, its part before the ``@``, or a word of that part."""
    local = sender.partition("@")[0]
    return wanted in (sender, local) or wanted in local.replace(".", " ").replace("-", " ").replace("_", " ").split()
