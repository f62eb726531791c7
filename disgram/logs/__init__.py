"""Disgram.log: writing it, bounding what floods it, and reading its newest lines."""
