"""Files that outlive a process: SQLite databases, jobs.json, locks. Never what their contents lead to."""
