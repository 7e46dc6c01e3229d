"""Encoders trained once, elsewhere: each way of pre-training, and the shelf that keeps what came of it."""

from fer_lib.pretrain.keep import Trained, trained_encoder

__all__ = ["Trained", "trained_encoder"]
