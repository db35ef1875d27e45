"""Lightning modules: loss, scores, optimiser; one file a task kind."""
