# Completion that bash accepts and that offers commands and options.
coho help --format bash >completion
bash -n completion
complete() {
  bash -c '. ./completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _coho; echo "${COMPREPLY[@]}"' \
    coho "$@"
}
complete coho ''
complete coho co
complete coho connect --he
complete coho serve --
# Commands, files (the shell offers them when there is nothing else) and values.
complete coho help ''
complete coho help ser
complete coho serve --root ''
complete coho serve --tls ''
complete coho serve -l ''
complete coho connect --cacert ''
complete coho connect --deflate o
complete coho serve --timeout p
complete coho serve --demo --th
# Each name that is offered is one.
for option in limit rate timeout; do
  for name in $(complete coho serve --$option ''); do
    coho serve --demo --$option "${name%=}" 2>&1 | sed "s/'.*'/NAME/;1q"
  done | uniq -c | sed 's/^ *//'
done
