from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doceo.providers.window import Ticket, Window


def full(window: Window) -> list[Ticket]:
    """Fill a window with requests that are sent."""
    tickets = []
    while window.free:
        tickets.append(window.take())
        window.send(tickets[-1])
    return tickets


def end(window: Window, ticket: Ticket, *, refused: bool = False) -> None:
    if refused:
        window.refused(ticket)
    else:
        window.succeeded(ticket)
    window.ended()
    window.release()


def opened(most: int) -> Window:
    window = Window(most)
    while window.starting:
        window.double()
    return window


def test_refusals_of_one_moment_halve_once() -> None:
    window = opened(64)
    tickets = full(window)
    for ticket in tickets[32:]:
        end(window, ticket, refused=True)
    assert window.allowed == 32
    for ticket in tickets[:32]:
        end(window, ticket)
    again = full(window)
    assert len(again) == 32
    end(window, again[0], refused=True)
    assert window.allowed == 16
    end(window, again[1], refused=True)
    assert window.allowed == 16


def test_a_refused_probe_takes_the_window_back_and_waits_twice_as_long() -> None:
    window = Window(32, first=4)
    window.double()
    tickets = full(window)
    assert window.allowed == 8
    for ticket in tickets[4:]:
        end(window, ticket, refused=True)
    assert window.allowed == 4
    between, tickets = list[int](), tickets[:4]
    for _ in range(4):
        successes = 0
        while window.allowed == 4:
            end(window, tickets.pop(0))
            tickets += full(window)
            successes += 1
        between.append(successes)
        end(window, tickets.pop(), refused=True)
    assert between == [65, 128, 256, 512]  # the very first was sent when the window was empty, and does not count


def test_below_the_limit_it_grows_by_half_of_the_distance_each_round() -> None:
    window = opened(64)
    tickets = full(window)
    end(window, tickets.pop(), refused=True)
    for ticket in tickets[32:]:
        end(window, ticket)
    tickets, sizes = tickets[:32], [window.allowed]
    while window.allowed < 63:
        for _ in range(window.allowed):
            end(window, tickets.pop(0))
            tickets += full(window)
        sizes.append(window.allowed)
    assert 40 <= sizes[0] <= 48
    assert sizes[-1] == 63
    assert len(sizes) <= 9


@given(st.lists(st.tuples(st.sampled_from(["take", "good", "bad", "double"]), st.integers(0, 1000)), max_size=300))
def test_it_is_never_below_one_nor_above_the_most(events: list[tuple[str, int]]) -> None:
    window, held = Window(20), list[Ticket]()
    for what, which in events:
        if what == "take" and window.free:
            held.append(window.take())
            window.send(held[-1])
        elif what == "double":
            window.double()
        elif held and what in ("good", "bad"):
            end(window, held.pop(which % len(held)), refused=what == "bad")
        assert 1 <= window.allowed <= 20
        assert window.held == len(held) <= 20
