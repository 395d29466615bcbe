"""To-dos of calendars (VTODO, RFC 5545, 3.6.2): what is to be done, and by when. They take no time."""
