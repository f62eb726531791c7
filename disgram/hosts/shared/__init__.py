"""What hosts share beside the leases: the jobs, orders, and what each tells of its workers."""
