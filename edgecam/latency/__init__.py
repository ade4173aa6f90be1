"""How old the picture on the screen is, measured from outside: the camera films the screen that flashes. No Qt."""
