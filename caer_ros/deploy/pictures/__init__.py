"""Pictures to calibrate and to measure on: from data sets, folders, videos and bags."""
