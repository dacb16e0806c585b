"""Training BENet: targets from annotated people, and the losses of section 3.4."""
