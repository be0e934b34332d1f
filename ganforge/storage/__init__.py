"""Files: run directories, checkpoints, generators, all whole or not there."""
