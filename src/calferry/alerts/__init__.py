"""Telling a person that something is wrong, once, and once more when it is over.

In the order of reading: `notice` (the words), `channels` (e-mail, webhook, log), `ping` (a sign of life for whoever
waits for one), `lookout` (who has to be told what).
"""
