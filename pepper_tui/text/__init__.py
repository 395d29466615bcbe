"""Text from outside made safe to show, log, notify or prompt; HTML and bytes to text; web addresses in a text."""

from pepper_tui.text.safe import (
    as_json,
    as_name,
    attribute,
    begun,
    clean,
    escape,
    hidden,
    know_characters,
    one_line,
    sendable,
    shorten,
    spelled,
    unescaped,
    unseen_words,
    visible,
)

__all__ = [
    "as_json",
    "as_name",
    "attribute",
    "begun",
    "clean",
    "escape",
    "hidden",
    "know_characters",
    "one_line",
    "sendable",
    "shorten",
    "spelled",
    "unescaped",
    "unseen_words",
    "visible",
]
