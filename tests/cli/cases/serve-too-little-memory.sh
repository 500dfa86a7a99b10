# A limit of memory that the server itself does not fit in.
status coho serve --demo --listen ws://127.0.0.1:0 --threads 256 --limit memory=1M
