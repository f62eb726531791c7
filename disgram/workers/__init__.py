"""Processes: which workers run, how they are made, and how they are heard. Never HTTP, never jobs.json."""
