# What the cases of cases/ are written with. $COHO is the program under test.
servers=

coho() { "$COHO" "$@"; }

# status COMMAND...: runs it and prints its exit status as a line.
status() {
  if "$@"; then echo 'exit 0'; else echo "exit $?"; fi
}

# launch COMMAND...: starts a server that prints `listening URL`, and waits for that line. $url is the
# URL without the slash at its end; further lines are read from descriptor 3.
launch() {
  rm -f listening
  mkfifo listening
  "$@" >listening &
  server=$!
  servers="$servers $server"
  exec 3<listening
  read -r _ url <&3
  url=${url%/}
}

# serve [OPTION...]: coho serve on a free port; what it says on standard error goes to the file served.
serve() { launch "$COHO" serve --listen ws://127.0.0.1:0 "$@" 2>>served; }

# peer: the server of peer.py, whose paths misbehave in various ways.
peer() { launch python3 "$TESTS/peer.py"; }

# stop: ends the last server gracefully and prints its exit status.
stop() {
  kill "$server"
  status wait "$server"
  servers=${servers% *}
}

# terminal COMMAND...: runs it as terminal.py does, with the steps on standard input.
terminal() { python3 "$TESTS/terminal.py" "$@"; }

# http METHOD PATH [FIELD...]: the answer of the server to a plain request.
http() { python3 "$TESTS/request.py" "$url" "$@"; }

# plain: standard input with ports and times taken out.
plain() { sed -E 's/(127\.0\.0\.1|localhost|\[::1\]):[0-9]+/\1:PORT/g; s/after [0-9.]+ ms/after N ms/g'; }

# A server that was not stopped by its case ends here, and has to end well.
end_servers() {
  result=$?
  trap - EXIT
  for one in $servers; do
    kill "$one" || continue
    wait "$one" || { echo "a server ended with $?" >&2; result=1; }
  done
  exit "$result"
}
trap end_servers EXIT
