"""How answers look: headers, JSON bodies, errors, OpenAPI and /docs. Never a rule of jobs or processes."""
