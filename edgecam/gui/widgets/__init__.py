"""Parts that know nothing of cameras and models."""
