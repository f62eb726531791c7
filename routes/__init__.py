"""The routes of the API by what they are about, and what they ask of a request; main.py joins them."""
