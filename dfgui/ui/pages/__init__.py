"""One file per tab. Each has `build(context)`: it lays out its components and wires them beside where they are made."""
