"""The calendars of a simulated world: an account at Google in process, and mails that invite."""
