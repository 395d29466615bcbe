"""How the mail of an account comes in.

| file | holds |
| --- | --- |
| ``cursor.py`` | how far it was read |
| ``taking.py`` | taking in mails by their ids |
| ``reading.py`` | what is there, and what changes |
| ``feed.py`` | the feed |
| ``original.py`` | the bytes of one mail |
"""
