"""t.me: pages as t.me writes them, and a server that shows them."""
