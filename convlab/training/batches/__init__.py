"""Batches of images: which images a step sees, how they are changed, and how they come to the device, as functions of seed and step."""
