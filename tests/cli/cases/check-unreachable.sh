# No server, no WebSocket, no echo: one sentence, and exit status 1.
peer
for what in drop mute refuse/404 wrongkey bulk/20; do
  # Who is gone before our message is there resets the connection.
  status coho check "$url/$what" --timeout 1 -f 1.1.1 2>&1 | plain | sed 's/a broken connection/the end of TCP/'
done
status coho check ws://127.0.0.1:1/ 2>&1
status coho check ws://name.invalid/ 2>&1 | sed 's/not found: .*/not found: WHY/'
