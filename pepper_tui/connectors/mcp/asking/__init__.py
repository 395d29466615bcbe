"""Questions of servers to the user."""
