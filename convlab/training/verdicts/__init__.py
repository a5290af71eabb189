"""What trainings with several seeds say: rankings with intervals and ties, and correlations of orders."""
