"""The registry of data sets: names, cards, and what an unknown name gets."""

from __future__ import annotations

import dataclasses
import re

import pytest

from cnnkit import data
from cnnkit.data.cards import read_cards


def test_names_takes_a_shell_pattern():
    assert data.names("*mnist") == ["fashion_mnist", "mnist"]
    assert data.names() == sorted(data.names())


def test_an_unknown_name_gets_the_nearest_one():
    for ask in (data.card, data.load, data.fetch, data.available, data.verify):
        with pytest.raises(KeyError, match="did you mean 'cifar10'"):
            ask("cifar-10")


def test_a_name_that_is_spelt_in_capitals_or_is_no_name_is_told_too():
    with pytest.raises(KeyError, match="did you mean 'mnist'"):
        data.card("MNIST")
    with pytest.raises(KeyError, match="no data set is called '5'"):
        data.card(5)


def test_a_set_without_a_loader_says_where_its_files_are():
    with pytest.raises(ValueError, match=r"fetch\('bccd'\).*BCCD\.zip"):
        data.load("bccd")


def test_a_set_that_is_made_on_the_spot_has_no_files_to_fetch():
    with pytest.raises(ValueError, match=r"load\('letters'\)"):
        data.fetch("letters")


def test_an_unknown_layout_is_named():
    with pytest.raises(KeyError, match="subset"):
        data.card("cifar10").layout("subsets")


def test_a_card_cannot_be_changed_nor_registered_twice():
    card = data.card("mnist")
    with pytest.raises(dataclasses.FrozenInstanceError):
        card.licence = "mine"  # type: ignore[misc]
    with pytest.raises(ValueError, match="registered already"):
        data.register(card)


@pytest.mark.parametrize("card", read_cards(), ids=lambda card: card.name)
def test_every_card_tells_what_a_user_must_know(card):
    assert card.title and card.task and card.samples and card.licence and card.citation
    assert card.homepage.startswith(("http://", "https://"))
    assert card.identifier is None or re.match(r"(doi:10\.|arXiv:\d{4}\.\d{4,5}$)", card.identifier)
    assert card.tier == 1 or card.files
    for layout in card.layouts:
        for file in layout.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert all(address.startswith("http") for address in file.addresses)
            assert file.addresses or not layout.complete, "a file without an address is a derived one"
    assert card.name in str(card) and card.licence in str(card)


def test_hearsay_licences_are_printed_as_such():
    assert "to be checked" in str(data.card("orl_faces"))
    assert "to be checked" not in str(data.card("fashion_mnist"))
