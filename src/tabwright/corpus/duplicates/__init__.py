"""Texts -> words -> signatures -> clusters: which texts are the same, or nearly."""
