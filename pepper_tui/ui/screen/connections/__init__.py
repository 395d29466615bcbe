"""The accounts on screen: how each does, and the keys that add, try, pause, sign in again and remove one."""
