"""Disgram.log as a source of progress: its lines, and what is taken over from them at the start."""
