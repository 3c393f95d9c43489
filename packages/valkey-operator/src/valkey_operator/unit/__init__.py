"""This unit's server and Sentinel: their start, stop and configuration."""
