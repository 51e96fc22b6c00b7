"""Whether the log is what it was: checks events, trees, checkpoints, proofs and bundles.

An auditor's side of the audit log. It shares no code with what writes the log, apart from the two
hashes of `audit/hashing.py`: an error there would have to be made twice to go unnoticed.
"""
