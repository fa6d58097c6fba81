"""Licences 许可: the grants in force, and the check of one use against them."""
