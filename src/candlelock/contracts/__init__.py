"""What every part agrees on: errors, typed parameters, table schemas, documents and the gate policy. Knows nobody."""
