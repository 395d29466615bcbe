"""The demo: the ordinary engine on a sample Maildir and calendar that a writer fills as time passes.

Outgoing mail goes to an SMTP sink on loopback and ends up as files in ``<home>/outbox``. The config is one that a user
could have written. Neither the demo nor the engine knows the other.
"""
