# The ids, which never change: a line that goes is a mistake.
for side in '' --client; do
  echo "all cases${side:+ $side}"
  coho check --list --full $side | awk '{ print $1 }'
done
# With titles and rules; without --full fewer.
coho check --list -f 2.1 -f '9.1.*' -f 'close.*-bytes'
coho check --list --full -f '9.1.*'
coho check --list --client -f 'mask.[f-z]*'
status coho check --list -f nobody 2>&1
status coho check --list -f 9.1.6 2>&1
