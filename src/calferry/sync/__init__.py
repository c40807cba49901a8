"""The path of an appointment, in the order of the picture: pull, route, push.

    pull    Source ─► Batch ─► ledger          network, one transaction per batch
    route   ledger ─► rules ─► wanted          local, pure rules
    push    wanted ≠ written ─► Plan ─► target ─► receipts

Each step can be killed anywhere and run again: what the next one needs is in the ledger, and no transaction is open
while the network is asked.
"""
