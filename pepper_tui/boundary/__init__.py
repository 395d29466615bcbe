"""The guarded ways to what is outside: files of the user's, bytes of servers, and parsers in a process of their own."""
