"""The shell: one file a group of commands. ``convlab.cli.app.run`` runs a command line."""
