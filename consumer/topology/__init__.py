"""What goes where, as data: read, checked, compiled. `load` is the way in, `plan` what comes out."""
