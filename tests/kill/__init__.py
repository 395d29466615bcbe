"""Kill tests: the real engine in a process of its own, SIGKILL at any moment, a checker of what is left.

``make kill KILLS=200 SEED=1`` runs them; ``python -m tests.kill --help`` says what may be chosen.
"""
