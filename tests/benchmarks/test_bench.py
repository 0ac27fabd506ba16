"""The bench measures what it says: pages without pictures, groups that keep rows, bounds that break."""

from __future__ import annotations

import pytest

from tests.benchmarks import bench


def test_a_page_is_weighed_without_its_pictures():
    page = '<p>words</p><img src="data:image/png;base64,{}"><svg viewBox="0 0 1 1"><path d="{}"/></svg>'
    assert bench.own_weight(page.format("A" * 900, "M0 0" * 900)) == bench.own_weight(page.format("", ""))
    assert bench.own_weight(page + "é") == bench.own_weight(page) + 2


def test_a_group_that_is_not_measured_keeps_its_rows(tmp_path):
    path = tmp_path / "bench.csv"
    old = [
        bench.Row("pages", "a.html", 5.0, "kB", 600.0, ""),
        bench.Row("import", "import", 0.2, "s", None, ""),
    ]
    bench.write(path, old)
    assert bench.kept(path, {"import"}) == old[:1]
    assert bench.kept(path, set()) == [old[1], old[0]]


def test_a_broken_bound_shows_in_the_exit_status(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    for value, status, word in ((1.0, 0, "ok"), (3.0, 1, "OVER")):
        monkeypatch.setitem(
            bench.GROUPS, "import", lambda value=value: iter([bench.Row("import", "x", value, "s", 2, "")])
        )
        assert bench.main(["import"]) == status
        assert capsys.readouterr().out.startswith(word)


def test_an_unknown_group_is_told_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as stop:
        bench.main(["imports"])
    assert stop.value.code == 2
    assert "no group is called imports; there are import, summary" in capsys.readouterr().err
