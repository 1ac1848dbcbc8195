"""Reading and writing of tables and documents: atomic, validated, hashed, with one set of bytes for one content."""
