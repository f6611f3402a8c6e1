"""What the world looks like: facts, snapshots, changes and the rules over them, without I/O."""
