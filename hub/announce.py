"""Tell whoever should know: alerts for new and resolved findings, codes for a new plan."""
