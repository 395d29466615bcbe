"""Alarms of events (VALARM, RFC 5545, 3.6.6): when the user wants to hear of an event, in their own calendar."""
