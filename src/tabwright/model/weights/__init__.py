"""Weights in and out: each layout is a table of names; reading files and filling a decoder are written once."""
