"""Accounts: users, roles, server-side sessions, login limits, and the table of who may open what."""
