"""The demo: the ordinary engine on a sample Maildir and calendar that a writer fills as time passes.

Outgoing mail goes to an SMTP sink on loopback and ends as files in ``<home>/outbox``. The config is one that a user
could have written; nothing here knows the engine, and the engine knows nothing of this.
"""
