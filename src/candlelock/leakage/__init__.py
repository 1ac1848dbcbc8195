"""What sees the future besides features: rows, labels, fits, fills, choices. Pure checks that give findings."""
