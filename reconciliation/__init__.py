"""Reconciliation: columns in, columns out. Who is who, what belongs together, who owns it, what is wrong.

`run.reconcile` is the door. The steps, in the order they run:

* `current`: what each tool says now, out of everything it ever said
* `identity`: which account is which person
* `link`: which records describe the same piece of work
* `work_items`, `ownership`: state of the work, every tool's claim about its owner, and the golden owner
* `handoffs`: who passed work to whom, and whether it was taken up
* `findings`: one module per kind of thing that can be wrong
* `corrections`: owners that tools would have to change

Everything is an ibis expression, evaluated by DuckDB inside the process. Nothing here reads a clock, a file or
the network: the same observations, charter and `as_of` give the same bytes.
"""
