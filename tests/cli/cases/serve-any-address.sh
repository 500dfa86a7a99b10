# What listens on all addresses is opened by one that works.
for host in 0.0.0.0 '[::]' localhost; do
  launch "$COHO" serve --demo --listen "ws://$host:0" 2>>served
  stop
done
launch "$COHO" serve --demo --listen wss://0.0.0.0:0 --tls self 2>>served
stop
plain <served
