# A folder that is not there, is no folder, or may not be read.
status coho serve --root ./nowhere
touch file
status coho serve --root file
mkdir locked
chmod 0 locked
if [ "$(id -u)" = 0 ]; then
  status setpriv --reuid 65534 --regid 65534 --clear-groups "$COHO" serve --root locked
else
  status coho serve --root locked
fi
