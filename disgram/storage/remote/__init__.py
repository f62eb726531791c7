"""The ledger of a service with DATABASE_URL, as its workers use it: over a Unix socket of the data directory.

One line of JSON is a call, and one its answer. A worker speaks only to its own service, which has the
connections to PostgreSQL. Neither side knows which database it is.
"""
