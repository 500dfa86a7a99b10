# Where it may not be, and without what.
printf 'short\n' >short
printf 'sixteen letters at least\n' >spaces
for options in '--admin ws://0.0.0.0:0' '--admin ws://:0' '--admin http://x' '--admin-token short' \
  '--admin ws://127.0.0.1:0 --admin-token short' '--admin ws://127.0.0.1:0 --admin-token spaces' \
  '--admin ws://127.0.0.1:0 --admin-token nowhere' '--drain-code 1005' '--drain-code 1010' '--drain-code 7' \
  '--drain 4000'; do
  status coho serve --demo $options 2>&1 | sed '/^Try /d'
done
