"""One module per learner, each with `fit` and a model that predicts, explains itself and saves to a native format."""
