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
