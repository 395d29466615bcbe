"""Events of a calendar written anew."""
