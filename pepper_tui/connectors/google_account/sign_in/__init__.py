"""Signing in to Google: what is asked for, by the browser or by a pasted address, and where the answer is kept.

| file | holds |
| --- | --- |
| ``grant.py`` | what the user allowed, as it is kept; the client that asks |
| ``landing.py`` | the page on this machine to which the browser comes back |
| ``flow.py`` | the sign-in itself, and its end |
"""
