"""A trained generator in forms that other programs read, and the card that describes it."""
