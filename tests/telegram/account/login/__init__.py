"""Logging in and out over the stand-in, with the answers of a person who is simulated."""
