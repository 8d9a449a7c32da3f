"""The demonstration behind `make demo`: a local cluster counts the words of text files that every Debian has."""
