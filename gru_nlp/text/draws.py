"""Random numbers by keys: those of a text depend on its key alone, and on nothing that stands beside it.

SplitMix64 (Steele et al. 2014, section 4) steps through a counter and mixes its bits. The number at any place is so
known without those before it, and those of many keys are found in one go.
"""

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]

#: The step of the counter: the odd number closest to 2**64 by the golden ratio.
STEP = np.uint64(0x9E3779B97F4A7C15)
#: Shifts and factors by which its bits are mixed.
MIXING = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))


def mixed(numbers: Keys) -> Keys:
    """Return a number of 64 bits for each of ``numbers`` ``(N,)``, as if drawn; equal ones have equal ones."""
    bits = (numbers + np.uint64(1)) * STEP
    for shift, factor in MIXING:
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits


def failures(keys: Keys, counts: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.int64]:
    """Draw how often something fails in a row that fails with probability ``share``.

    Args:
        keys: ``(N,)``.
        counts: of draws for each key, ``(N,)``.
        share: above 0 and below 1.

    Returns:
        Numbers from 0 on, distributed geometrically, ``(M,)``: those of the first key, of the second, and so on.
    """
    ends = np.cumsum(counts, dtype=np.int64)
    places = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    bits = mixed(np.repeat(keys, counts) + places.astype(np.uint64) * STEP)
    uniform = ((bits >> np.uint64(11)) + 0.5) * 2.0**-53  # above 0 and below 1
    found: npt.NDArray[np.int64] = np.floor(np.log(uniform) / np.log(share)).astype(np.int64)
    return found
