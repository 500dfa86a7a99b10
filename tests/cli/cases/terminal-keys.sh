# Stopping and going on, editing, and the end of input.
peer
terminal "$COHO" connect "$url/talk" <<'END' | plain
see >
keys abd
keys \e[Dc
see > abcd
keys \x1a
stopped
gone > abcd
signal CONT
see > abcd
type
see < abcd
keys not sent\x15\x04
end
END
status terminal "$COHO" connect "$url/deaf" <<'END' | plain
see >
keys \x03
gone >
keys \x03
end
END
