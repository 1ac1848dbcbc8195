"""What others' tools reach on the rows that the project is judged on."""
