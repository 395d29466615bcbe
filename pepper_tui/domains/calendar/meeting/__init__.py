"""What one needs to be at an event in time: where it can be joined, and the time before it."""
