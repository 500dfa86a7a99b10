# The version of the program is that of the library.
coho version | sed -E 's/[0-9]+\.[0-9]+\.[0-9]+$/X.Y.Z/'
[ "$(coho version)" = "$(coho --version)" ]
[ "$(coho version)" = "$(coho -V)" ]
status coho version now
