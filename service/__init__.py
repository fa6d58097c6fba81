"""Yinji 印迹 — a map of the house (imports point down; this file imports nothing).

workers, portal, api, cli   the edges: they commit and enqueue
screening                   one sighting's life, top to bottom
outlets parties works licences sightings accounts   one folder per feature: models · operations · pure rules · views
audit jobs blobs states     events in a chain · the job ledger · bytes by SHA-256 · state tables
intake                      bytes → article; never sees the database
fingerprint kinds errors    pure: numbers, media forms, what can go wrong
"""
