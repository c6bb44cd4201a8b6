"""An Airtable-like base: records, formulas, page offsets, schema and collaborators."""
