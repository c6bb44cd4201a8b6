"""How fast the simulated tools answer at 10,000, 100,000 and 1,000,000 records, beside the clients that read them."""
