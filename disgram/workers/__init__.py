"""Processes: which workers run, how they are started, and what they report. Never HTTP, never jobs.json."""
