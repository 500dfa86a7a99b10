# A reader that had enough ends it quietly, with status 1, also when nothing comes.
mkfifo input
exec 4<>input

# into COMMAND URL [OPTION...]: talks to a reader that does not read to the end.
into() {
  reader=$1
  shift
  { status coho connect "$@" <&4 3>&- >&5 5>&-; } 5>&1 >result | $reader
  cat result
}

peer
into 'head -n 1' "$url/endless" 2>&1 | plain
serve --demo
into true "$url/echo" -q
status sh -c '"$COHO" connect "$0/echo" -q -x hello >/dev/full' "$url"
status sh -c '"$COHO" connect "$0/echo" -q -x hello >&-' "$url"
status sh -c '"$COHO" version >/dev/full'
status sh -c '"$COHO" version >&-'
