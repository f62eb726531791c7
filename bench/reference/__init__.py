"""The reference, beside ours: its processes over a stand-in, and what it needs for the same work."""
