"""Labels, time-ordered segments and folds, and the first leakage checks."""
