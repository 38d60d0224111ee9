"""`python -m tabwright` is the command line."""

from tabwright.cli import main

if __name__ == "__main__":
    main()
