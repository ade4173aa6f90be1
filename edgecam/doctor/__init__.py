"""Looks for what keeps edgecam from working on this machine, and says what helps. No Qt."""
