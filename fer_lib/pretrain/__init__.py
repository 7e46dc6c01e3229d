"""Encoders trained once, elsewhere: each way of pre-training, and the shelf that keeps what came of it."""

from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.pretrain.keep import Trained, trained_encoder
from fer_lib.pretrain.predictive import PredictiveCoder
from fer_lib.pretrain.probes import probe

__all__ = ["PKAutoencoder", "PredictiveCoder", "Trained", "probe", "trained_encoder"]
