"""What is done around an apply: running the engine, recovering, reporting; and the CLI."""
