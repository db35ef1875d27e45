"""From a checkpoint to a folder that answers without torch."""
