"""Finished pictures as PNG, GIF and APNG, and the format that makes them in a run."""
