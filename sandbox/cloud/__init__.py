"""The emulator's process: MiniStack, and what the sandbox adds over it."""
