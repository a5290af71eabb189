"""Time by layer, and the layers that make one network slower than another."""
