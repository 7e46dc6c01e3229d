"""From a picture to what an encoder reads: find the face, align it, mask it, prepare it."""

from fer_lib.preprocess.align import align, eye_centres, similarity_from_eyes, warp
from fer_lib.preprocess.detect import detect, find_eyes, find_faces
from fer_lib.preprocess.inputs import prepare
from fer_lib.preprocess.masks import overlay
from fer_lib.preprocess.track import Tracker, track_faces

__all__ = [
    "Tracker",
    "align",
    "detect",
    "eye_centres",
    "find_eyes",
    "find_faces",
    "overlay",
    "prepare",
    "similarity_from_eyes",
    "track_faces",
    "warp",
]
