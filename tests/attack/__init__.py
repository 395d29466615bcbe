"""Attacks of our own, each run through a whole engine, and judged by what came out of it.

``python -m tests.attack`` tries them all. A row (``row``) has a name, what it tries, what must never come of it, and a
function that plays it on a ``Scene``: one home with a real store, a real Maildir, calendar and files, a real SMTP and a
real web server on loopback, and a model that is wholly in the attacker's hand. The rows stand in a file for each source
of the attack. ``judge`` looks at what is outside of Pepper: mails that reached the server, requests that reached the
web server, files that changed, bytes that reached a terminal, a prompt or a log. ``broken`` holds guards that can be
let down one by one, to see the numbers rise.
"""
