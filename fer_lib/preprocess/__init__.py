"""From stored pixels to what an encoder reads."""

from fer_lib.preprocess.augment import Augmentation, augment
from fer_lib.preprocess.inputs import prepare

__all__ = ["Augmentation", "augment", "prepare"]
