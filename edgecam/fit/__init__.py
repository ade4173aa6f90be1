"""Picks model, input size and threads for this board and a wish, and keeps to the wish while it runs. No Qt."""
