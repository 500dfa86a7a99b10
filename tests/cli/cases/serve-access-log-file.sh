# A file, which is made for owner and group, appended to, and opened again on SIGHUP.
serve --access-log --access-log-file log
http GET /healthz >/dev/null
mv log log.1
kill -HUP "$server"
until [ -e log ]; do :; done
http GET /nothing >/dev/null
stop
serve --access-log --access-log-file log
http GET /healthz >/dev/null
stop
ls -l log | cut -c1-10
sed -E 's/^[0-9T:.Z+-]+ //; s/^127\.0\.0\.1:[0-9]+/PEER/; s/[0-9]+ [0-9.]+ ?ms/N bytes, N ms/' log.1 log
cat served
status coho serve --demo --access-log --access-log-file /nowhere/log 2>&1
status coho serve --demo --access-log-file log 2>&1
status coho serve --demo --access-log-format json 2>&1
status coho serve --demo --access-log --access-log-format xml 2>&1
