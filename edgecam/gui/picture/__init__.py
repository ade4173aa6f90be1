"""The picture with what is drawn on it and around it."""
