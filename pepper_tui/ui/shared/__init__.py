"""What every front shows and says: the state of the view, its words, the keys."""
