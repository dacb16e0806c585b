"""How far a file's answers are from its FP32 file's, in the terms that users see."""
