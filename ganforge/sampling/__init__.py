"""Samples from a trained generator, and what people see of them."""
