"""Optimisation: parameter groups, optimisers, the course of the learning rate, and averages of weights."""
