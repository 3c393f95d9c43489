"""Records: what servers say, what units tell each other, what the leader does."""
