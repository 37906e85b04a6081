"""Checks of the Python peer: `python3 -m unittest` in the folder above."""
