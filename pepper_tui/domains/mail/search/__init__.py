"""One search language for mail, and what it is asked of: mail in the store, and the servers of the accounts.

| file | holds |
| --- | --- |
| ``query.py`` | a query: an immutable tree of terms |
| ``query_text.py`` | reading a query, and writing it |
| ``resolving.py`` | its times and "me", as of now |
| ``matching.py`` | whether one mail matches |
| ``local.py`` | all mails of the store that match |
| ``searcher.py`` | the port of the accounts whose server can search |
| ``everywhere.py`` | both together, with what was left out |
"""
