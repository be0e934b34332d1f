"""The data path: real samples by number, from a set in memory, on disk, or drawn."""
