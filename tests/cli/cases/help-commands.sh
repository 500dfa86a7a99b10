# What each command says about itself.
for command in serve connect help version; do
  coho help "$command"
  echo ----
done
