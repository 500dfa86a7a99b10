# Clients that are run for each connection: a good one, one that breaks a rule, one that is none.
echo_client="python3 $TESTS/../check/client.py"
status coho check --client -f 2.1 -f 7.3 -f handshake.key-fresh -- $echo_client
status coho check --client -f mask.theirs -f 1.1.2 -- $echo_client --break mask-wrong
# What cannot be run, or never connects, is one sentence; so is nobody.
echo : >plain-file
status coho check --client -- ./nowhere 2>&1
status coho check --client -- nowhere-in-path 2>&1
status coho check --client -- ./plain-file 2>&1
status coho check --client -- . 2>&1
status coho check --client -- ws://127.0.0.1:1/ 2>&1
status coho check --client -- false 2>&1
status coho check --client --within 0.2 2>&1 | plain
status coho check --client --within 0.2 -- sh -c 'exec sleep 100' 2>&1
# Over TLS, with a certificate made for the run, and with one that the client can check.
authority ca
certificate server ca DNS:localhost
status coho check --client --listen wss://localhost:0 -f 2.1 -- $echo_client
status coho check --client --listen wss://localhost:0 -f 1.1.2 --cert server.pem --key server.key -- \
  "$COHO" connect --cacert ca.pem -q -x hello
status coho check --client --listen wss://localhost:0 --cert nowhere.pem --key server.key -- $echo_client 2>&1
status coho check --client --listen ws://localhost:0 --cert server.pem --key server.key -- $echo_client 2>&1
status coho check --client --listen ftp://localhost -- $echo_client 2>&1
