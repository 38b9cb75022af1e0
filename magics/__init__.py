"""The IPython extension: `%load_ext bitsshell` or `%load_ext magics`."""
