"""The partnership charter: what was agreed, as typed and validated configuration."""
