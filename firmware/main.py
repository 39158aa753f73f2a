"""Composition root: outputs safe first, then settings, rig, app, and the loop."""

import gc

import board


def run(rig):
    """Regulate until maintenance is asked for."""
    rig.safe()
    # What compiling leaves behind is collected at once, or the modules end up scattered over a heap without any room.
    gc.threshold(16_000)
    import files
    import keyframe
    from link import Link

    from regulator.app import App
    from regulator.modes import MAINTENANCE
    from regulator.settings import Settings
    from regulator.store.copies import Store

    settings = Settings()
    gc.threshold(-1)
    app = App(rig, Link(rig.serial), Store(files, settings), keyframe)
    gc.collect()
    while app.modes.state != MAINTENANCE:
        app.tick()
    for _ in range(10):
        # What was still to be said goes out first.
        app.tick()
    rig.enter_maintenance()


rig = board.Rig()
# In maintenance the board is left to the REPL, with every valve shut and no watchdog.
if not rig.maintenance:
    try:
        run(rig)
    finally:
        rig.release()
