"""Many runs from one command: planned, resolved, run side by side, and gone on with. Torch-free."""
