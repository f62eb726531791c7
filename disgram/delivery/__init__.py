"""One post, once: rendered, sent, written to the ledger, and followed when it is edited or deleted."""
