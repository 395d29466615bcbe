"""The inbox on screen: its list, its cards, and what the keys do to them."""
