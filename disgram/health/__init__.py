"""What the service says about its own condition, and how it is measured."""
