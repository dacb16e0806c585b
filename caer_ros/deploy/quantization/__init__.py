"""From activations seen on real pictures to INT8 and FP16 files, and what each layer costs."""
