"""The engine: it composes all parts, and answers the screen, the socket and the user's acts."""
