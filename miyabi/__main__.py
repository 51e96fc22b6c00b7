"""`python -m miyabi`: the one way in, beside the console script, that keeps our folders last."""

import sys

from miyabi.cli import main

if __name__ == "__main__":
    sys.exit(main())
