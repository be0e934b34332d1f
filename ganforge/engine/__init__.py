"""The training engine, which names no component. Importing this package does not import torch."""
