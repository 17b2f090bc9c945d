"""The engine: a process that owns one station and runs one experiment at a time, and the client that talks to it."""
