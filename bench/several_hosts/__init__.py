"""Several services over one PostgreSQL, between the stand-ins that enforce: what a cluster really costs."""
