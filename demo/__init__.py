"""Stand-ins for t.me and for Discord's webhook API on loopback, and the demonstration over them.

Owns everything that pretends to be one of the two services. Never imports Disgram's own modules, so that
a mistake shared by both sides cannot hide itself.
"""
