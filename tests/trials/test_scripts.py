"""What a page does again is found in the script that made its table, in a checkout and in the wheel alike."""

from __future__ import annotations

import pytest

from cnnkit import trials


def test_a_script_is_found_by_its_chapter_and_an_unknown_one_is_named() -> None:
    assert trials.script("invariance").FIELD == (16, 16, 1)
    with pytest.raises(trials.TrialError, match=r"script of trials.*'invariances'.*invariance"):
        trials.script("invariances")
