"""Cannot be imported."""

raise SystemExit(3)
