"""Real logs through the real connectors, counted by the hub and, independently, straight from the CSV."""
