"""Feature extractors of the paper's baselines; published weights fit by name."""
