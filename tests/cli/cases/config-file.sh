# A file that cannot be the one that was meant, and files with nothing wrong.
fine() { status coho serve --config "$1" --check-config 2>&1; }
fine nowhere.yaml
mkdir folder
fine folder
mkfifo pipe
fine pipe
python3 -c 'print("#" * 10_000_000)' >big.yaml
fine big.yaml
python3 -c 'print("demo: true\n" + "#" * 1_000_000)' >large.yaml
fine large.yaml
: >empty.yaml
fine empty.yaml
status coho serve --config empty.yaml --demo --check-config
printf '# nothing\n---\n' >empty.yaml
status coho serve --config empty.yaml --demo --check-config
printf '\357\273\277demo: "true"\r\nthreads: 2\r\n' >windows.yaml
fine windows.yaml
chmod 666 windows.yaml
fine windows.yaml
chmod 0 windows.yaml
if [ "$(id -u)" = 0 ]; then
  status setpriv --reuid 65534 --regid 65534 --clear-groups "$COHO" serve --config windows.yaml
else
  status coho serve --config windows.yaml
fi
status coho serve --demo --check-config
status coho serve --demo --threads 0 --check-config
