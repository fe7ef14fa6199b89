#!/usr/bin/env bash
# mypy --strict over Packyak as it is imported, and over the ground of tests and bench. mypy does not follow the folder map of an editable install, so the map is
# laid out once with links: build/types/packyak/{cli,...,engine,studio,deploy,sample_data}.
set -euo pipefail
mypy="$(realpath "${1:-.venv/bin/mypy}")"

tree=build/types
rm -rf "$tree" && mkdir -p "$tree/packyak"
for part in packyak/* engine studio deploy sample_data; do
    case "$part" in *__pycache__) continue ;; esac
    ln -s "$(realpath "$part")" "$tree/packyak/$(basename "$part")"
done
cd "$tree"
check() {
    "$mypy" --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache "$@"
}
wrong=0
check -p packyak || wrong=1
export MYPYPATH=.:../../tests/ground:../../tests/guard:../../bench:../../bench/spine
check ../../tests/conftest.py ../../tests/ground ../../bench/bench_spine.py || wrong=1
exit "$wrong"
