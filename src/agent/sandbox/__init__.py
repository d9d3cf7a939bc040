"""Where target code runs: no network, no secrets, bounded in everything."""
