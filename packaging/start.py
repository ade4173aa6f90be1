"""What the standalone program runs."""

from edgecam.cli import start

if __name__ == "__main__":
    start()
