# The chosen subprotocol is told; one that was not offered is an error.
peer
coho connect "$url/choose/chat" --protocol superchat,chat
status coho connect "$url/choose/mqtt" --protocol chat
status coho connect "$url/choose/chat"
coho connect "$url/text/1" --protocol chat
