"""A channel's newest posts as they would be sent, made by a process of its own."""
