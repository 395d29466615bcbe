"""The calendars of an attack: a file, Radicale behind a road that breaks and counts, the double of Google, and mail."""
