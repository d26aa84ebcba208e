"""What a plugin's author, and whoever installs plugins, need: distributions are written, checked and installed here."""
