"""What Discord refuses: the destination, a whole post, one field, or a message that only ever gets a 500."""
