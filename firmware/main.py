"""Composition root: outputs safe first, then settings, rig, app, and the loop."""

import gc

import board

rig = board.Rig()
rig.safe()

import files
from link import Link
from regulator.app import App
from regulator.settings import Settings
from regulator.store import Store

try:
    settings = Settings()
    app = App(rig, Link(rig.serial), settings, Store(files, settings), gc.collect)
    gc.collect()
    while True:
        app.tick()
finally:
    rig.safe()
