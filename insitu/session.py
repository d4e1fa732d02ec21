"""The life of a time step: publish, execute, close.

In: a run configuration, a communicator, and the simulation's mesh at every step.
Out: compressed fields in a window, pictures when a trigger fires, a record; a report per step.
"""
