"""Which slot a prompt goes to."""

from __future__ import annotations

from tabwright.sampling.slots import ANY_SLOT, SlotBook


def test_a_prompt_returns_to_the_slot_that_has_read_its_beginning() -> None:
    book = SlotBook(3)
    with book.slot_for([1, 2, 3]) as first:
        pass
    with book.slot_for([9, 9]) as second:
        assert second != first
    with book.slot_for([1, 2, 3, 4]) as again:
        assert again == first


def test_the_longest_unused_slot_is_taken_by_something_new() -> None:
    book = SlotBook(2)
    slots = []
    for ids in ([1], [2], [3]):
        with book.slot_for(ids) as slot:
            slots.append(slot)
    assert slots[0] != slots[1]
    assert slots[2] == slots[0]


def test_a_slot_in_use_is_not_given_twice() -> None:
    book = SlotBook(2)
    with book.slot_for([1]) as first, book.slot_for([1]) as second, book.slot_for([1]) as third:
        assert {first, second} == {0, 1}
        assert third == ANY_SLOT


def test_nothing_is_named_while_samples_are_spread() -> None:
    book = SlotBook(2)
    with book.spread() as spread, book.slot_for([1]) as slot:
        assert (spread, slot) == (ANY_SLOT, ANY_SLOT)
    with book.slot_for([1]) as slot:
        assert slot != ANY_SLOT
