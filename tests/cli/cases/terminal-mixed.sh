# Only when both ends are a terminal that can edit are there commands and a prompt.
serve --demo
terminal sh -c '"$COHO" connect "$0/echo" -q | sed "s/^/got /"' "$url" <<'END' | plain
type /help
see got /help
keys \x04
end
END
TERM=dumb terminal "$COHO" connect "$url/echo" <<'END' | plain
see connected
type /help
see /help
keys \x04
end
END
printf '/help\n\033[31m\n' >input
terminal sh -c '"$COHO" connect "$0/echo" <input' "$url" </dev/null | plain
