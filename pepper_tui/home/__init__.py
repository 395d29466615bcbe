"""A home as it lies on the disk, before its config has types. Imports little: the first frame waits for it."""

from pepper_tui.home.places import CONFIG_FILE, DATABASE, SECRETS_FILE, default_home
from pepper_tui.home.private import make_private

__all__ = ["CONFIG_FILE", "DATABASE", "SECRETS_FILE", "default_home", "make_private"]
