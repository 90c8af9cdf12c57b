"""Running Pulumi's CLI: its commands, its events, its state, and what a killed run leaves."""
