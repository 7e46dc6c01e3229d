"""The two numbers that scale every encoder: its width and the side of its images."""


def scaled(channels: int, width: float, *, multiple: int = 1) -> int:
    """Channels of a layer at another width: the nearest multiple, at least one.

    Args:
        channels: at width 1.
        width: factor, > 0.
        multiple: what the result must be divisible by.

    Example:
        >>> scaled(512, 0.125), scaled(64, 0.001), scaled(36, 0.5, multiple=4)
        (64, 1, 16)
    """
    return multiple * max(1, round(width * channels / multiple))


def check_scale(width: float, size: int, *, stride: int, smallest: int, usual: int, why: str) -> None:
    """Refuse a width or a side of the image that a network cannot take.

    Args:
        width: factor on the channels.
        size: side of the images, in pixels.
        stride: what the side must be a multiple of.
        smallest: side that leaves one feature.
        usual: side that the network was made for.
        why: what halves the side, such as "Four poolings halve it".

    Raises:
        ValueError: not above 0; no multiple of the stride; too small.
    """
    if not width > 0:
        raise ValueError(f"width must be above 0; got {width}. 1 is the paper's network.")
    if size < smallest or size % stride:
        rule = f"at least {smallest}" if stride == 1 else f"a multiple of {stride}"
        if stride != 1 and smallest != stride:
            rule += f" from {smallest} on"
        raise ValueError(f"size must be {rule}; got {size}. {why}; try {usual}.")
