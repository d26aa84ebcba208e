"""What a plugin's command shares with ours: options, tables, and what to type next."""
