"""A charm that does nothing."""

import ops

if __name__ == "__main__":
    ops.main(ops.CharmBase)
