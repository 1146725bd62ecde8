"""How is the demo upstream started from a shell? `python -m webchat.demo --port 9000`."""

import argparse
from collections.abc import Sequence

from webchat.demo.command import add_arguments, run


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m webchat.demo", description="The demo upstream.")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    run(options.host, options.port, options.pace)


if __name__ == "__main__":
    main()
