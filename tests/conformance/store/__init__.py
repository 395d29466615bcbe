"""The promises of ``pepper_tui/store/protocol.py``, over each store that there is."""
