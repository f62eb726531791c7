"""/dashboard: a page to look at and to work with, and the one JSON it reads. Its files are in static/."""
