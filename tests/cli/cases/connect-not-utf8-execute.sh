coho connect ws://127.0.0.1:1/ -x "$(printf 'caf\351')"
