"""Integer arithmetic with intermediates below 2^30, the range of MicroPython's small integers on the board."""


def muldiv(a: int, b: int, c: int) -> int:
    """Return a * b // c to within 0.1 %, for a, b >= 0 and c > 0, without a large intermediate.

    Exact while a and b are below 2^15. The result itself must be below 2^30.
    """
    shift = 0
    # Steps of four bits first: the result is the same, but sooner.
    while a > 524287:
        a >>= 4
        shift += 4
    while a > 32767:
        a >>= 1
        shift += 1
    while b > 524287:
        b >>= 4
        shift += 4
    while b > 32767:
        b >>= 1
        shift += 1
    product = a * b
    while shift and c > 4096:
        c >>= 1
        shift -= 1
    return (product // c) << shift


# Subsonic flow function of ISO 6358 for a critical pressure ratio b = 0.3, in 1/1024:
# sqrt(1 - ((r - b) / (1 - b))^2) at r = 0.30, 0.35 ... 1.00.
_PHI = (1024, 1021, 1013, 1000, 981, 956, 925, 887, 840, 784, 717, 633, 527, 380, 0)


def flow_fraction(p_up_pa: int, p_down_pa: int) -> int:
    """Return flow as a fraction of choked flow, in 1/1024 (ISO 6358, b = 0.3), for absolute pressures up to 20 MPa."""
    if p_down_pa >= p_up_pa:
        return 0
    ratio = (p_down_pa >> 5) * 1000 // ((p_up_pa >> 5) + 1)
    if ratio <= 300:
        return 1024
    index = (ratio - 300) // 50
    rest = (ratio - 300) % 50
    return _PHI[index] - (_PHI[index] - _PHI[index + 1]) * rest // 50
