"""One module for each protocol: requests as its clients send them in, answers as its clients read them out."""
