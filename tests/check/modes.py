MODES = ()
