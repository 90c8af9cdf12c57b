"""Real data stores: PostgreSQL and Valkey servers on loopback."""
