"""The ledger in PostgreSQL, for several hosts: connections, tables, what differs from SQLite in the SQL.

Only a service with DATABASE_URL imports this room, and nothing else imports the driver. Never decides which
host runs what.
"""
