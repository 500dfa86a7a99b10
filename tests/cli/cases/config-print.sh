# What --print-config prints is a file without a fault.
coho serve --print-config >all.yaml
status coho serve --config all.yaml --check-config
# Every option is in it, but those that are for the command line only.
coho help serve | sed -n 's/^ *\(-.,\)\? *--\([a-z0-9-]*\).*/\2/p' | while read -r name; do
  grep -q "^#*$name:" all.yaml || echo "not in the file: $name"
done
# The defaults are what holds without a file: it serves the same.
launch "$COHO" serve --config all.yaml --listen ws://127.0.0.1:0 2>>served
coho connect "$url/echo" -q -x hello
stop
