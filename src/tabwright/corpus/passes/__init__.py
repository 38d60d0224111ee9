"""The two passes over a corpus, partition by partition: cleaning, and selecting what is no duplicate."""
