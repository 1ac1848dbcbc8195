"""The Model Card: built from reports, judged by the policy, validated, rendered."""
