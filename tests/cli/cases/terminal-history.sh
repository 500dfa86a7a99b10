# The arrow up brings back what was typed, also in the next session; nobody else may read it.
serve --demo
for words in 'first second' 'third'; do
  {
    echo 'see >'
    for word in $words; do printf 'type %s\nsee < %s\n' "$word" "$word"; done
    printf 'keys \\x04\nend\n'
  } | terminal "$COHO" connect "$url/echo" >/dev/null
done
terminal "$COHO" connect "$url/echo" <<'END' | plain
see >
keys \e[A
see > third
keys \e[A\e[A
see > first
keys !\r
see < first!
keys \x04
end
END
stat -c '%a %n' .local/state/coho .local/state/coho/history
XDG_STATE_HOME=$PWD/elsewhere terminal "$COHO" connect "$url/echo" <<'END' >/dev/null
see >
type only here
see < only
keys \x04
END
grep -c only elsewhere/coho/history
grep -c only .local/state/coho/history || true
seq 1200 | sed '1i _HiStOrY_V2_' >elsewhere/coho/history
XDG_STATE_HOME=$PWD/elsewhere terminal "$COHO" connect "$url/echo" <<'END' >/dev/null
see >
type 1201
see < 1201
keys \x04
END
sed -n '2p; $p' elsewhere/coho/history
wc -l <elsewhere/coho/history
