"""What stays of a training on the disk: the job, checkpoints, results, and by what they are known again."""
