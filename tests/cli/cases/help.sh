# Help in each form that hands type, and where it goes.
coho help
coho --help | cmp - - && coho --help >long && coho help >short && cmp long short
coho connect --help >long && coho help connect >short && cmp long short
coho serve -h >long && coho help serve >short && cmp long short
status coho >/dev/null
status coho help nothing
status coho help connect serve
status coho nothing
status coho conect
status coho help servre
status coho help --format latex
