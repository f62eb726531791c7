"""Files beside the databases: jobs.json, locks, and what stands where a regular file is expected."""
