# An address that is not this machine's.
coho serve --demo --listen ws://192.0.2.1:0
