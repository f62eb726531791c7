"""The HTTP API: headers, answers, errors, OpenAPI, /docs, the server. No rule of jobs or processes."""
