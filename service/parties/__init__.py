"""Parties 使用方 outside the Centre (and its own outlets' channels), with the channels they publish in."""
