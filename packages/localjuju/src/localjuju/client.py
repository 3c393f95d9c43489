"""What client.c does, for machines without a C compiler. Runs on its own, without this package."""

import itertools
import os
import socket
import struct
import sys


def main() -> int:
    """Send this command line to the model and print the answer."""
    words = [os.fsencode(word) for word in sys.argv[1:]]
    name = os.fsencode(os.path.basename(sys.argv[0]))  # noqa: PTH119 - pathlib costs 10 ms here
    home = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120
    wants_stdin = b"--file=-" in words or (b"--file", b"-") in itertools.pairwise(words)
    data = sys.stdin.buffer.read() if wants_stdin else b""
    fields = [os.environb.get(b"JUJU_CONTEXT_ID", b""), name, os.getcwdb(), data, *words]  # noqa: PTH109
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.path.join(home, "..", "agent.sock"))  # noqa: PTH118
        except OSError:
            print("ERROR localjuju: the model is not running", file=sys.stderr)  # noqa: T201
            return 1
        connection.sendall(struct.pack("<I", len(fields)))
        for field in fields:
            connection.sendall(struct.pack("<I", len(field)) + field)
        with connection.makefile("rb") as answer:
            (code,) = struct.unpack("<I", answer.read(4))
            for stream in (sys.stdout.buffer, sys.stderr.buffer):
                (size,) = struct.unpack("<I", answer.read(4))
                stream.write(answer.read(size))
                stream.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
