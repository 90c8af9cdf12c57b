"""The policy pack: what must hold before anything is applied, on anybody's Pulumi AWS program."""
