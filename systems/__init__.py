"""What a system is: the typed model, the tiers, and one YAML file a system."""
