"""The machinery Disgram is built from. It knows nothing of the application files at the root."""

__version__ = "3.0.0"
