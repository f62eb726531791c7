"""The arithmetic of Discord's rate limits; the theory, and the order of requests, are in rate_limiter.py."""
