"""The embedded Hub: blobs by sha256, everything else in SQLite, served to the Hub's own clients over HTTP."""
