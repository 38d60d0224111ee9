"""What a person can mend: one base for all errors of this package, which nothing heavy is imported for."""


class CorpusError(ValueError):
    """A corpus cannot be built as asked; the message names what and the remedy."""
