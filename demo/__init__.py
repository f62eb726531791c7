"""`make demo`: Disgram over stand-ins for t.me and Discord, in a browser."""
