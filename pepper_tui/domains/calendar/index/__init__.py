"""What was read of the calendars, kept so that a look costs only what has changed, and a minute without change nothing.

| file | |
| --- | --- |
| ``cutting.py`` | a file cut into its events, anew only where it is not as it was |
| ``series.py`` | the events of one UID in one calendar, made of what the parser said of them |
| ``occurrences.py`` | what happens in a period, by start |
"""
