"""What is told of the calendar beside its events: a card that is over, which calendar, how old its copy is."""
