"""Counts the sectors that littlefs erases in each step of a save, on MicroPython: prints [writes, closes, renames]
with 0, 1, 2 and more erases each, over 2,000 saves of a state and, one in five, of the settings."""

import files
from littlefs import Flash, mount

from regulator.store.copies import SAVE_STEPS, Copies

_SECTORS = 352  # of a Pico's file system

flash = Flash(_SECTORS)
mount(flash, new=True)
for number in range(45):
    with open(f"module{number}.mpy", "wb") as file:
        file.write(b"x" * (1500 + number * 40))
settings, state = Copies(files, "settings"), Copies(files, "state")
counts = [[0] * 4 for _ in range(SAVE_STEPS)]
for number in range(2000):
    copies, rows = (settings, 65) if number % 5 == 0 else (state, 38)
    copies.begin([(f"some_name_of_a_value_{row}", number * 1000 + row) for row in range(rows)])
    for step in range(SAVE_STEPS):
        before = flash.erases
        assert copies.step() == (step == SAVE_STEPS - 1)
        counts[step][min(flash.erases - before, 3)] += 1
print(counts)
