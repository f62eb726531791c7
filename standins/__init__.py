"""t.me and Discord on loopback, and `python main.py` over them: for the tests, the benchmarks and the demo.

Never imports Disgram's own modules, so that a mistake shared by both sides cannot hide itself.
"""
