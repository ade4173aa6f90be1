"""The commands of `edgecam`. Each module has NAME, `add_parser(subparsers)` and sets `run(args) -> exit code`."""
