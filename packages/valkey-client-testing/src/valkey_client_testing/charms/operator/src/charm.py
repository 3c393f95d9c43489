#!/usr/bin/env python3
"""The entry point of the Valkey operator charm."""

import ops

from valkey_operator.charm import ValkeyOperatorCharm

if __name__ == "__main__":
    ops.main(ValkeyOperatorCharm)
