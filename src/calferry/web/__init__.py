"""What calferry serves over HTTP.

In the order of reading: `catalogue` (which feeds there are), `addresses` (the secret address of each), `memory` and
`editions` (what a feed holds right now), `feeds` (what a subscriber is answered), `server` (a thread that answers).
"""
