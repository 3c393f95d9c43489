"""The logic of the Valkey operator charm: observe, plan, apply."""
