# Pings of our own do not put off the end, also when one is due just when the silence is over: four fit
# into it, and two more are let pass for a slow machine.
serve --demo
for i in 1 2 3 4 5 6 7 8; do
  coho connect "$url/echo" --ping 0.25 --linger 1 -x "$i" 2>&1 >/dev/null | grep -c pong >"pongs.$i" &
  clients="${clients-} $!"
done
for client in $clients; do wait "$client"; done
for i in 1 2 3 4 5 6 7 8; do
  [ "$(cat "pongs.$i")" -le 6 ] || echo "$(cat "pongs.$i") pongs"
done
