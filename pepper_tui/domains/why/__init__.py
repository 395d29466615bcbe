"""Why: the chain behind anything on the screen; what goes on and what was done."""
