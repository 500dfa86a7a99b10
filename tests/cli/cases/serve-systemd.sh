# Its sockets, in the environment; what it is told, and that it is told as long as all loops turn.
serve_there() { python3 "$TESTS/systemd.py" "$@" 2>>served | sed 's/^listening .*:[0-9]*\/$/listening/; s/unix:.*/unix/'; }
serve_there "$COHO" serve --tls self --threads 3
serve_there abstract "$COHO" serve --tls self

# Sockets of another process are not ours; nor is what is no number.
export LISTEN_PID=1 LISTEN_FDS=3
serve
status http GET /healthz
stop
export LISTEN_PID=x LISTEN_FDS=-1 NOTIFY_SOCKET=nowhere WATCHDOG_USEC=1
serve
stop

# A socket that does not listen.
status sh -c 'LISTEN_FDS=1 LISTEN_FDNAMES=what LISTEN_PID=$$ exec "$COHO" serve 3</dev/null'
