"""One module of cases for each module that registers layers; see `tests/layers/common.py`."""
