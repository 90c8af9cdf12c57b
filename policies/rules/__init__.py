"""The rules, one section of the checklists a file."""
