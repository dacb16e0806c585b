"""Annotated people of EMOTIC and HECO: readers, checks, and samples for BENet."""
