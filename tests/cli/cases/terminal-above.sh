# What comes while a line is being typed appears above it, and the line stays as it is; also when the
# window changes its size, and in the middle of a key's escape sequence.
peer
terminal "$COHO" connect "$url/talk" <<'END' | plain
see >
type go
keys a line that is longer than the screen is wide, which is one hundred columns, so that it goes on in a second row, where it ends
see tick 3
see where it ends
size 40 30
keys , or not
see or not
keys \x01\x0b
gone or not
type later
keys half
see < later
see > half
keys \e
signal INT
end
END
