"""What the standalone program runs."""

import sys

from edgecam.cli import main

if __name__ == "__main__":
    sys.exit(main())
