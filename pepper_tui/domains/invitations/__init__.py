"""Invitations by mail (iTIP and iMIP, RFC 5546 and 6047): taken into the agenda, told, and answered.

| file | holds |
| --- | --- |
| ``message.py`` | what the calendar part of a mail says |
| ``record.py`` | what is known of each invitation |
| ``taking.py`` | from a mail to the agenda |
| ``signals.py`` | what others answered, or tried, as signals |
| ``answering.py`` ``tool.py`` ``settling.py`` | the user's answer: found, sent after a yes, and noted |
| ``single.py`` | one time of a series, answered by itself |
| ``choices.py`` | the keys on the card |

An invitation becomes an object of the calendar ``invitations`` in the store, so that agenda, conflicts and signals
treat it as they treat any event. Until it is answered it takes nobody's time. If a calendar of the user's holds the
same UID, that one counts, and the copy here is not shown.
"""
