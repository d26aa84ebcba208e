"""Pages for people: made on the server, from the same store as the answers to programs."""
