"""Background work: thin tasks over the operations of `service`, one file per queue, and the schedule."""
