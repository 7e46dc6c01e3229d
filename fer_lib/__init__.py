"""The library behind *Reading Faces*, an executable textbook on adaptive facial expression recognition.

The way through it is one way, top to bottom: ``datasets`` and ``worlds`` give a ``FaceSet``; ``preprocess``
and ``encoders`` turn it into feature maps; ``heads`` decide; ``train`` fits; ``metrics`` judge; ``results``
keep the rows that ``views`` and the chapters show. Import the room you need: ``import fer_lib`` loads none.
"""

__version__ = "0.1.0"
