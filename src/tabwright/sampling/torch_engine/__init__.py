"""The torch engine: every family, on a CPU or a GPU; requests of different lengths are decoded together."""
