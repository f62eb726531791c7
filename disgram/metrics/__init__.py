"""GET /metrics: what workers count, added up, and what the service knows, in the form Prometheus reads."""
