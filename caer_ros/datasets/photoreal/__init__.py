"""Rendered people close to photographs: skin, hair, clothes, light and camera in numpy alone."""
