"""`caer ablation`: Table 3 and Fig. 8 of the paper on synthetic scenes, whose truth is known."""
