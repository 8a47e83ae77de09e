"""A trained model as files: manifest, ONNX, labels, card, metrics, reference statistics. The format, not the trust."""
