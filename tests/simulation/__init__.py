"""Pepper's deterministic simulation: the real engine on virtual time, in a world of seeded faults.

One seed is one world: its clock, its schedule, its model, its mail, its user and its crashes all come from it, so a
seed that finds a fault replays exactly: ``python -m tests.simulation --seed N --trace``. Only the edges are simulated:
the event loop, SQLite's threads (the database itself is real), the model's HTTP, SMTP, the Maildir's files, the
calendar, and the servers of an account below the sockets of its connector (``mail/``), in every second
world; calendars and invitations (``calendar/``) in every third.
"""
