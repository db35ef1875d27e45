"""``python -m gru_nlp``: the same as the console script ``gru-nlp``."""

import sys

from gru_nlp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
