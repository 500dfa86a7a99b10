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

# authority NAME: NAME.pem and NAME.key, which sign certificates.
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" \
    -out "$1.pem" -addext keyUsage=critical,keyCertSign 2>/dev/null
}

# certificate NAME AUTHORITY SUBJECT [OPTION...]: NAME.pem and NAME.key for such as DNS:localhost.
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.request" \
    -addext "subjectAltName=$3" -addext basicConstraints=critical,CA:FALSE 2>/dev/null
  openssl x509 -req -in "$1.request" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -copy_extensions copy \
    -out "$1.pem" -days 2 ${4:-} 2>/dev/null
}

# secure [OPTION...]: coho serve as wss://localhost on a free port.
secure() { launch "$COHO" serve --listen wss://localhost:0 "$@" 2>>served; }

# await TEXT: until there is a line with it in the file served.
await() { until grep -q -- "$1" served; do :; done; }

# hold [OPTION...]: a client that stays, until release, which prints its exit status.
hold() {
  rm -f lines
  : >answers
  mkfifo lines
  coho connect "$url/echo" -q "$@" <lines >answers &
  holder=$!
  exec 4>lines
  echo held >&4
  until grep -q held answers; do :; done
}
release() {
  exec 4>&-
  status wait "$holder"
}

# raw [PART...]: raw.py with the URL of the server.
raw() { python3 "$TESTS/raw.py" "$url" "$@"; }

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
