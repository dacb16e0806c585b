"""BENet (Cladière et al., ACIVS 2023): people and their emotions from maps of the whole picture."""
