"""The contract as checks that any charm, databag or dump can be held to."""
