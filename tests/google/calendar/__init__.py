"""Google Calendar: the calendars of an account (``book``), their series (``series``), the commands (``methods``)."""
