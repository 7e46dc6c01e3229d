"""Corpora and worlds as `FaceSet`: load, describe, inspect.

Where to look, from the call inwards:

- The calls: `load`, `check` (with `tally`, which counts, and `findings`, which judges), `inspect`.
- What comes of them: `faceset`, and `sequences` for clips as a whole; `splitting` and `counting` do their
  work; `sizes` are the chapters' limits.
- Facts: `facts` (terms, access, published numbers), `corpora` (find them by name), `protocols` (with
  `folding`: who is tested on what).
- Readers, a file a corpus, only paths and columns: `affectnet` (its forms in `affectnet_csv` and
  `affectnet_npy`), `masked_affectnet`, `fer2013`, `ferplus` (`votes`), `jaffe`, `omg_emotion`, `elderreact`,
  `emoreact`, `fabo`, `amigos`, `affwild2`; one's own faces in `folder` (`foldercsv`, `folderlabels`); worlds
  in `worldset`. What a reader hands over: `listing`.
- What readers share. Label files: `textfiles`, `textblocks` (large ones), `framelines` (a line a frame),
  `sheets` (workbooks), `csvpixels` (pictures in a csv), `subjects` (who is seen). Files and folders:
  `paths`, `folders` (a folder a class), `clipfolders` (where clips lie).
- From files to faces: `reading` (the whole way), `decoding` (on threads), `pictures`, `clips` (films;
  `containers` says whether one is whole), `framing` (cut out the face), `store` and `drafts` (decode once, go
  on after a stop).
- Back again, a world as the release: `releases`, a writer a corpus.
"""

from fer_lib.datasets.check import Report, check
from fer_lib.datasets.corpora import CorpusInfo, describe, names
from fer_lib.datasets.faceset import FaceSet
from fer_lib.datasets.inspect import Inspection, inspect
from fer_lib.datasets.load import catalogue, load
from fer_lib.datasets.protocols import PROTOCOLS, Fold, Protocol, folds, leak
from fer_lib.datasets.sequences import SequenceSet, as_sequences
from fer_lib.datasets.sizes import limit_for

__all__ = [
    "PROTOCOLS", "CorpusInfo", "FaceSet", "Fold", "Inspection", "Protocol", "Report", "SequenceSet",
    "as_sequences", "catalogue", "check", "describe", "folds", "inspect", "leak", "limit_for", "load",
    "names",
]  # fmt: skip
