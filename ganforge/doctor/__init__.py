"""Examination of an installation, a run or a file: what is wrong, and what can be done.

Nothing here writes, and nothing imports torch; what only torch knows, a process of its own is
asked. A rule is a small function that yields facts and troubles.
"""
