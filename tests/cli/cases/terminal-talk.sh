# A conversation: answers appear above the line being typed.
serve --demo
terminal "$COHO" connect "$url/echo" <<'END' | plain
see >
type hello
see < hello
type wörld ☃
see < wörld
type /ping
see pong after
type /ping are you there
see pong 'are you there'
type //me waves
see < /me waves
type /close 4000 bye
end
END
