"""What any implementation of a protocol must do, run by each."""
