# A port that needs a privilege. Where the system gives all ports to everybody, there is none.
if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -le 1 ]; then
  cat "$TESTS/cases/serve-no-permission.stderr.like" >&2
  exit 1
fi
if [ "$(id -u)" = 0 ]; then
  exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-net_bind_service \
    "$COHO" serve --demo --listen ws://127.0.0.1:1
fi
exec "$COHO" serve --demo --listen ws://127.0.0.1:1
