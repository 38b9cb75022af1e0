"""Many hosts: who they are, how to log on, kept channels, fan-out, watching.

Lives here: everything about more than one host, and about time. May not live here: what a person
typed (that is `commands`), and what a job is (that is `bits`).
"""
