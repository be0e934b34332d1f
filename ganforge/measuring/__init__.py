"""Measures of samples: features extracted in a stream and cached, and metrics over them."""
