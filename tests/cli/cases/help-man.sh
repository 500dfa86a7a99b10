# A manual page: every option is in it, and no line is taken for a roff request that is none.
coho help --format man >coho.1
for command in serve connect check help version; do
  grep -c "^\.SS coho $command" coho.1
  coho help "$command" | sed -nE 's/^ +(-., )?--([a-z-]+).*/\2/p' | while read -r option; do
    grep -q -- "\\\\-\\\\-$(echo "$option" | sed 's/-/\\\\-/g')\\\\fR" coho.1 || echo "without --$option"
  done
done
grep -Ev '^\.(\\"|TH|SH|SS|TP|B|I)' coho.1 | grep "^[.']" || echo 'no stray requests'
