"""The libraries that applications use, run through accounts that the operator gave."""
