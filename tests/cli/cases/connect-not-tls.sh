# wss:// to a port without TLS.
serve
status coho connect "wss://${url#ws://}/echo" 2>&1 | plain
stop
