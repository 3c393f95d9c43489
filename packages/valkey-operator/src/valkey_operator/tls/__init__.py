"""TLS: the relations with providers of certificates and CAs, and the files of this unit.

Everything is plain, or everything is TLS: clients, replication, Sentinels. A Sentinel tells
clients the very port that it monitors, and uses one setting for both.

A unit requests a certificate (:mod:`.certificates`), verifies it
(:mod:`valkey_operator.rules.server_certificate`), stores it and has its server and Sentinel load
it (:mod:`.files`), and reports that to the other units. The leader decides which CAs all of them
trust and when servers switch (:mod:`valkey_operator.decide.tls`).
"""
