"""`python -m loghub.cli`: the command where its script is not on PATH."""

from loghub.cli import main

if __name__ == "__main__":
    main()
