"""The conversation on screen: composer, transcript, pastes."""
