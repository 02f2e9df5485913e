"""Places outside dfgui that it works with, one file each."""
