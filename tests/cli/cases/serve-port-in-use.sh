# A sentence, not a number.
serve --demo
status coho serve --demo --listen "$url" 2>&1 | plain
