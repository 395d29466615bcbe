"""One account at Google, for all connectors to its services: no connector itself.

| file | holds |
| --- | --- |
| ``service.py`` | what a connector says of its service: commands, prices, what the user may allow |
| ``settings.py`` | the keys that their ``[[account]]`` have in common |
| ``signing.py`` ``sign_in/`` | signing in and out, as connectors declare it; and what the user allowed |
| ``account.py`` | an account's calls, with what was allowed |
| ``transport.py`` ``pace.py`` | calls for the loop: in threads, reads tried again; and no more than Google allows |
| ``wire.py`` | one connection a call: at the configured places only, and each request sent once |
| ``errors.py`` ``trouble.py`` | what goes wrong, and its words |

Google's libraries are imported in a thread, at the first call: no module that is imported with this one may need them.
"""
