# With --hex typed lines are bytes.
serve --demo
terminal "$COHO" connect "$url/echo" --hex <<'END' | plain
see >
type de ad
see < dead
type no
see is not hexadecimal
keys \x04
end
END
