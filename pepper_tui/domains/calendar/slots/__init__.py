"""Slots that suit others, too: whose time may be asked for, and what the user's own servers say of it.

| file | holds |
| --- | --- |
| ``free_busy.py`` | the port: an account whose server may know when others are taken |
| ``people.py`` | whom a name or an address means, and whether their address may go to a server |
| ``others.py`` | what is known of them, per person, for the answer of ``find_free_time`` |
"""
