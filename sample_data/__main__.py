"""`python -m packyak.sample_data FOLDER` writes the sample project into a folder."""

from __future__ import annotations

import sys

from packyak.sample_data import create

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m packyak.sample_data FOLDER")
    print(f"The sample project is in {create(sys.argv[1])}. Next: cd there and run `packyak run`")
