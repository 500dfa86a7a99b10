# What each command says about itself.
for command in serve connect check help version; do
  coho help "$command"
  echo ----
done
