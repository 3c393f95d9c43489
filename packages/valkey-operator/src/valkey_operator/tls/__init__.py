"""TLS: the certificates of the units, whom servers trust, and the change from plain and back.

Everything is plain, or everything is TLS: clients, replication, Sentinels. A Sentinel tells
clients the very port that it watches, and uses one setting for both.

A unit asks for a certificate (:mod:`.relation`), checks it (:mod:`.certificate`), remembers it
(:mod:`.state`), gives it to its own server and Sentinel (:mod:`.unit`) and tells the others
(:mod:`.peer`). The leader says whom everybody trusts, and when servers change (:mod:`.leader`).
"""
