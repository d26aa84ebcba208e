"""The recipes that pretrain vision transformers; those of text are the core's own."""
