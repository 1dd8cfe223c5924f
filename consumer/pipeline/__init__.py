"""The flow of a record, one step a file; `coordinator` wires it."""
