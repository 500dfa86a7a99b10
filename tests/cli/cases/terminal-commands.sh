# Commands, and what is said about wrong ones.
printf 'eight b\n' >file
mkfifo pipe
head -c 3000 /dev/zero >large
serve --demo
terminal "$COHO" connect "$url/echo" --max-message 2000 <<'END' | plain
see >
type /help
see slash
type /binary de ad 0
see is not hexadecimal
type /binary 68 65 79 00
see |hey.|
type /file file
see |eight b.|
type /file nowhere
see No such file
type /file large
see large is larger
type /file .
see directory
type /file
see which file
type /binary
see what bytes
type /close 1005
see may be sent
type /closed
see no such command
type /close 1001 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123
see 123 bytes
type
type last
see < last
type /close
end
END
