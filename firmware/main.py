"""Composition root: outputs safe first, then settings, rig, app, and the loop."""

import gc

import board


def run(rig):
    """Regulate until maintenance is requested."""
    rig.safe()
    # Collect the compiler's garbage every 16 kB, or the modules fragment the heap (chosen on the emulated board).
    gc.threshold(16_000)
    import files
    import generated
    from link import Link

    from regulator.app import App
    from regulator.modes import MAINTENANCE
    from regulator.settings import Settings
    from regulator.store.copies import Store

    settings = Settings()
    gc.threshold(-1)
    app = App(rig, Link(rig.serial), Store(files, settings), generated)
    rig.collect()
    while app.modes.state != MAINTENANCE:
        app.tick()
    for _ in range(10):
        # Send the queued replies first.
        app.tick()
    rig.enter_maintenance()


rig = board.Rig()
# In maintenance the REPL has the board, with every valve shut and no watchdog.
if not rig.maintenance:
    try:
        run(rig)
    finally:
        rig.release()
