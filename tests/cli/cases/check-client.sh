# Clients that are run for each connection: a good one, one that breaks a rule, one that is none.
echo_client="python3 $TESTS/../check/client.py"
status coho check --client -f 2.1 -f 7.3 -f handshake.key-fresh -- $echo_client
status coho check --client -f mask.theirs -f 1.1.2 -- $echo_client --break mask-wrong
status coho check --client -f 1.1.1 -- false
status coho check --client -f 1.1.1 -- ./nowhere
# Over TLS, with a certificate made for the run, and with one that the client can check.
authority ca
certificate server ca DNS:localhost
status coho check --client --listen wss://localhost:0 -f 2.1 -- $echo_client
status coho check --client --listen wss://localhost:0 -f 1.1.2 --cert server.pem --key server.key -- \
  "$COHO" connect --cacert ca.pem -q -x hello
status coho check --client --listen wss://localhost:0 --cert nowhere.pem --key server.key -- $echo_client 2>&1
status coho check --client --listen ftp://localhost -- $echo_client 2>&1
