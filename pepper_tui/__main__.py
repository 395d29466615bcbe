"""The `pepper` command: the screen by ``command.front``, everything else by ``command.cli``, which loads slower."""

from __future__ import annotations

import sys

from pepper_tui.command.front import screen, screen_options


def main() -> None:
    """Run the `pepper` command. Exits through ``SystemExit`` with the exit code."""
    options = screen_options(sys.argv[1:])
    if options is None:
        from pepper_tui.engine.interpreter import collect_seldom

        collect_seldom()  # before the imports, which it makes a fifth cheaper
        from pepper_tui.command.cli import main as command_line

        command_line()
        return
    raise SystemExit(screen(*options))


if __name__ == "__main__":
    main()
