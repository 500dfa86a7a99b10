# SIGHUP without certificates: nothing happens, but the end of its terminal ends a server.
serve
kill -HUP "$server"
await 'no certificates'
coho connect "$url/echo" -q -x 'still there'
stop
sed -E 's/^[^ ]+ //' served
status terminal "$COHO" serve --listen ws://127.0.0.1:0 <<'END' | plain
see listening
signal HUP
end
END
