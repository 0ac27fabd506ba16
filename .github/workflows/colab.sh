#!/usr/bin/env bash
# Runs inside Colab's image: install cnnkit as a student's first cell does, then compare every notebook.
set -euo pipefail

mkdir -p colab-report
versions() { python3 -m pip list --format=freeze | grep -iE '^(numpy|keras|tensorflow|jax|torch)==' | sort; }

versions >colab-report/before.txt
python3 -m pip install --quiet ".[course]"
versions >colab-report/after.txt
# The promise of the package's lower bounds: what Colab brings stays as it is, and no restart is asked for.
diff colab-report/before.txt colab-report/after.txt

python3 -m pip install --quiet pytest nbval
python3 -m pytest --nbval chapters -p no:cacheprovider -o addopts= -o filterwarnings=default \
  --nbval-sanitize-with tests/nbval.cfg --nbval-cell-timeout 600 --junitxml colab-report/notebooks.xml 2>&1 | tee colab-report/notebooks.txt
