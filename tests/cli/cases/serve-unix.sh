# A unix socket: the line it prints, a message by it, its mode, what is left behind and what is not.
path=$PWD/a.sock
unix() { launch "$COHO" serve --listen "ws+unix:$path" "$@" 2>>served; }
unix --unix-mode 600
echo "$url" | sed "s|$PWD|FOLDER|"
stat -c '%a %F' a.sock
echo hello | coho connect -q "ws+unix:$path:/echo"
# A second server does not take it away.
status coho serve --listen "ws+unix:$path"
stop
ls a.sock 2>/dev/null || echo gone
# What a server that was killed has left is no obstacle.
unix
kill -9 "$server"
{ wait "$server" || :; } 2>/dev/null
servers=
ls a.sock
unix
echo again | coho connect -q "ws+unix:$path:/echo"
stop
# Another file is.
echo precious >a.sock
status coho serve --listen "ws+unix:$path"
cat a.sock

status coho serve --listen ws+unix:a.sock
status coho serve --listen "ws+unix:$path" --unix-mode 1777
status coho connect -q "ws+unix:$PWD/nothing" </dev/null
