# 32 MiB go through, unchanged, in little memory; also when the reader begins only after nothing moves.
serve --demo
python3 - >big <<'END'
size = i = 0
while size < 32 << 20:
    size += len(f"{i} {'x' * (i * 7919 % 3000)}\n")
    print(i, "x" * (i * 7919 % 3000))
    i += 1
END
python3 "$TESTS/peak.py" big "$COHO" connect "$url/echo" -q >back
cmp big back
python3 "$TESTS/peak.py" --stall big "$COHO" connect "$url/echo" -q >back
cmp big back
