"""Guarded ways to the outside: the user's files, bytes from servers, and parsers in a process of their own."""
