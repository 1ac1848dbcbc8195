"""What has to be said of single specimens, by name: why a leak is not found."""

NOTES: dict[str, str] = {
    "lone_tail_filled": "one stretch of equal labels happens by chance: docs/leakage_table.md",
    "noisy_rank_faint": "an AUC of about 0.8, below the bound of 0.9 for a single feature",
    "hit_rate": "a mean of 24 labels of which 8 are not known yet; only the code that made it can tell",
    "rows_jittered_much": "farther from its origin than 0.005 deviations, as rows are by chance",
    "rows_mixed": "as far from both of its origins as rows are by chance",
    "stacked_in_sample_quiet": "noted nowhere, and no row of test is touched",
    "calibrator_chosen_on_test_quiet": "a choice of two, which both futures make alike",
    "test_read_often_moved": "other rows each time: told beside the count, as newer candles are",
}
