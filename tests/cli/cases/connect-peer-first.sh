# When the peer closes first, nothing waits: neither for the input, which never ends here, nor for silence.
peer
mkfifo input
exec 4<>input
status coho connect "$url/text/3" --linger 999 <&4
status coho connect "$url/text/2" --linger 999 -x hello
