"""A trained model from the folder that ``gru-nlp export`` wrote: onnxruntime, tokenizers and numpy, never torch."""
