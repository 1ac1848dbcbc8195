"""Selection and scaling of features, fitted on training rows alone, which record what they saw and why each went."""
