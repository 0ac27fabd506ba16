"""One module of cases for each family of models; see `tests/models/common.py`."""
