"""Tests of what is installed: the wheel's commands, where data lie, the files of the image."""
