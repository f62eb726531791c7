"""One post, once: rendered, sent, booked in the ledger, and followed when it is edited or deleted."""
