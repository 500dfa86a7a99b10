# Pages of other origins are refused unless they are let in.
serve --demo --origin https://friend.example
status coho connect "$url/echo" -x hi
status coho connect "$url/echo" -x hi --origin https://friend.example
status coho connect "$url/echo" -x hi --origin "http${url#ws}"
status coho connect "$url/echo" -x hi --origin https://stranger.example
stop
serve --demo --origin '*'
status coho connect "$url/echo" -x hi --origin https://stranger.example
stop
serve --demo --origin null
coho connect "$url/echo" -q -x hi --origin null
