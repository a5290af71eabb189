"""The forms that begin long work: dialogs made from knobs, which end in a command line for a worker."""
