"""The one log of the service, and reading its newest lines. Never decides whether a worker is alive."""
