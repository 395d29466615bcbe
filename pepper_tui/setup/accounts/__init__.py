"""Accounts as a user meets them: finding the settings of an address, trying them, keeping them.

| file | holds |
| --- | --- |
| ``offers.py`` | settings that something offered: a server, an offer, the table of a config |
| ``providers.toml`` ``providers.py`` | large providers, shipped; nothing is asked of anybody |
| ``records.py`` ``autoconfig.py`` ``finding.py`` | what a domain says itself, once the user agreed to ask it |
| ``trying.py`` | the connector's own check, before anything is written |
| ``tables.py`` | the ``[[account]]`` tables of the user's own file |
| ``book.py`` | the accounts of a home: listed, added, paused, removed |
"""
