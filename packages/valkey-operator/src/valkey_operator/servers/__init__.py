"""The conversation with Valkey servers and Sentinels."""
