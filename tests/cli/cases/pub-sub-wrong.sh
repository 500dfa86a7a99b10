# What cannot be, before anything is connected.
for what in ws://h/ ws://h/t/ ws://h/t/a?x ws://h/t/a//b 'ws://h/t/ a a' 'ws://h/t/ a b -s k.1' ftp://h/t/a \
  'ws://h/t/a -s x' 'ws://h/t/a -k' 'ws://h/t/a -n 0'; do
  status coho sub $what
done
status coho pub ws://h/t/a x --file y
status coho pub ws://h/live/x y
status coho pub ws://h/t/a --idempotency-key k
status coho pub ws://h/t/a x --conflation-key ''
status coho pub ws://h/t/a "$(printf '\377')"
status coho pub ws://127.0.0.1:1/t/a x
status coho sub ws://127.0.0.1:1/t/a
status coho pub ws://127.0.0.1:1/t/a x --persist --timeout 0.1 -q
