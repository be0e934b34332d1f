"""`ganforge evaluate`: how good samples are, each score beside its floor."""
