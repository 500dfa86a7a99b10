# Nothing that a peer sends reaches the terminal unescaped.
peer
terminal "$COHO" connect "$url/stranger" </dev/null | plain
terminal sh -c '"$COHO" connect "$0/stranger" </dev/null' "$url" </dev/null | plain
terminal "$COHO" connect "$url/binary" </dev/null | plain
terminal "$COHO" connect "$url/ping" </dev/null | plain
status terminal "$COHO" connect "$url/bell" </dev/null | plain
terminal "$COHO" connect "$url/bulk/5000" </dev/null | plain | tail -n 4
