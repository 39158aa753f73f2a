"""Counts of the board's health: which late tick is whose."""

from regulator.health import Health


def counts(health):
    return health.late, health.longest_ms, health.write_ms, health.collections


def test_a_late_tick_counts_for_the_write_before_it_or_for_itself():
    health = Health()
    for dt_ms in (20, 21, 29):
        health.advance(dt_ms)
    assert counts(health) == (0, 0, 0, 0)
    health.note_collection()
    health.advance(46)
    health.advance(30)
    assert counts(health) == (2, 46, 0, 1)
    health.note_write()
    health.advance(400)
    health.advance(33)
    assert counts(health) == (4, 46, 400, 1)
    # A write that was quick is not blamed for what is late after it.
    health.note_write()
    health.advance(20)
    health.advance(60)
    assert counts(health) == (5, 60, 400, 1)
