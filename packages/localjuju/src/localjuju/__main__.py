"""``localjuju``: a model for the time of a command or shell."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from .juju import Juju


def main() -> int:
    """Run a command, or a shell, in which ``juju`` is a local model."""
    parser = argparse.ArgumentParser(
        prog="localjuju",
        description="Run a command, or your shell, in which 'juju' is a local model. The model"
        " and all that it started end with the command.",
    )
    parser.add_argument("--driver", choices=("warm", "process"), default="warm")
    parser.add_argument("--timeline", action="store_true", help="print what happens")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = arguments.command or [os.environ.get("SHELL", "/bin/sh")]
    with Juju(driver=arguments.driver) as juju:
        if arguments.timeline:
            juju.timeline.listen(lambda entry: print(entry, file=sys.stderr))  # noqa: T201
        path = os.pathsep.join([str(juju.bin), os.environ.get("PATH", os.defpath)])
        return subprocess.run(command, env={**os.environ, "PATH": path}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
