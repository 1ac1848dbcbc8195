"""The stages of dvc.yaml, one thin module each: load, check, call the library, save."""
