"""Discord: what it refuses, how it limits, what it shows, and a server that does all of that."""
