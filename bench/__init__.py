"""The benchmarks: each prints what it measured, `make bench` all of them."""
