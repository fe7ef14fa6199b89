#!/usr/bin/env bash
# Prints a Python that can build the environment: the one asked for, else the first that is 3.11 or newer and has venv.
set -euo pipefail

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

for name in ${1:-python3.11 python3.12 python3.13 python3 python}; do
    if usable "$name"; then
        command -v "$name"
        exit 0
    fi
done
echo "Packyak needs Python 3.11 or newer with its venv module; tried: ${1:-python3.11 python3.12 python3.13 python3 python}." >&2
echo "Next: install one (Debian and Ubuntu: apt-get install python3.11-venv), or say where it is: make setup PYTHON=/path/to/python3.11" >&2
exit 1
