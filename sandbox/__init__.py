"""A cloud on this machine: AWS's APIs, and real PostgreSQL and Valkey behind them."""
