"""Proxies: designs and recipes made small enough for short trainings, and what these can tell."""
