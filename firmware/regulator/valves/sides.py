"""The two valve pairs: names and constants that every room uses."""

FILL, VENT = 0, 1
NONE = -1

# A fill warms the gas and a vent cools it, so the immediate step is 1.45 times the settled one (energy balance of a
# vessel being filled or emptied, real gas at 5 MPa).
IMMEDIATE_PER_SETTLED_PERCENT = 145
# A smaller difference across the fill valve gives no useful flow. Design choice.
FILL_DIFFERENCE_PA = 100_000
# Below this pressure too little drives the vent: the last pulses of a vent have no effect, and ambient is not known
# well enough to tell their flow. Chosen on the simulated plant.
DRIVEN_PA = 250_000
# A valve counts as known after this many judged pulses. Chosen on the simulated plant.
TRUSTED = 3
