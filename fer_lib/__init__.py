"""The library behind *Reading Faces*, an executable textbook on adaptive facial expression recognition.

The way through it is one way, top to bottom: ``datasets`` and ``worlds`` give a ``FaceSet``; ``preprocess``,
``augment`` and ``encoders`` turn it into feature maps; ``heads`` decide; ``train`` fits; ``metrics`` judge;
``results`` keep the rows that ``views`` and the chapters show; ``evidence`` asks what the worlds are worth.
Import the room you need: ``import fer_lib`` loads none.
"""

__version__ = "0.1.0"
