"""ganforge from Python: train, load, sample, and use its parts in a program of one's own.

The package `ganforge` itself has these names, each loaded when it is first named.
"""
