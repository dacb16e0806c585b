"""What an image of a batch is for: which of BENet's heads it goes to (section 3.3)."""

from __future__ import annotations

MAPS = 0
"""Bottom-up emotion maps and detection: the raw image, or one with some people masked."""
PERSON = 1
"""Person-centric head: the crop of one person."""
BACKGROUND = 2
"""Background head: the image with everybody masked."""

TASKS = (MAPS, PERSON, BACKGROUND)
