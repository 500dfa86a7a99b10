# What is printed about a server that does everything right.
serve --demo
status coho check "$url/echo" -f 2 -f 7.3
status coho check "$url/echo" -f 2.1 -f close.1015 -f protocol.known -v
# Without ws://, and one after the other.
status coho check "${url#ws://}/echo" -f 4.1 --at-once 1
