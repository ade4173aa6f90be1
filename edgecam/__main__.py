"""`python -m edgecam`."""

from edgecam.cli import start

if __name__ == "__main__":
    start()
