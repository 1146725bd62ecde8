"""What looks like chance, and is the same every time?"""

import random


def seeded(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 (nothing here is a secret)
