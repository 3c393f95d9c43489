"""Decisions: pure functions from the records to what has to be done."""
