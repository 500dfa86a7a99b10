# A restart: one after the other is told to come back, readiness says no meanwhile, and who leaves need not
# wait for the end.
serve --admin ws://127.0.0.1:0 --drain 600 --drain-code 1012
read -r _ admin <&3
for i in 1 2 3; do
  mkfifo "in$i"
  coho connect "$url/echo" <"in$i" >"out$i" 2>"err$i" &
  eval "exec $((i + 3))>in$i"
  echo hello >"in$i"
  until grep -q hello "out$i"; do sleep 0.02; done
done
kill "$server"
until grep -q 1012 err1; do sleep 0.02; done
url=${admin%/}
http GET /healthz
http GET /readyz
exec 5>&- 6>&-
status wait "$server"
servers=
wait
plain <err1 | tail -n 1
grep -c 1012 err2 err3 || true
