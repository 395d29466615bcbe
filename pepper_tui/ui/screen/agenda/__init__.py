"""The agenda on screen: the user's days, and what keys do with what is on them."""
