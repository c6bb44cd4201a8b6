"""Use cases, one verb each: values and ports in, a report out."""
